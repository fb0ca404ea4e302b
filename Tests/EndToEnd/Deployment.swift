// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PostgreSQLServer

/// The default deployment with files replaced or added.
func defaultDeployment(_ changes: [String: String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for file in try FileManager.default.contentsOfDirectory(atPath: Sources.defaultDeployment) {
        try folder.write(file, try defaultFile(file))
    }
    for (file, text) in changes { try folder.write(file, text) }
    return folder
}

/// A file of the default deployment.
func defaultFile(_ name: String) throws -> String {
    try String(contentsOf: URL(filePath: "\(Sources.defaultDeployment)/\(name)"), encoding: .utf8)
}

/// The port of a URL without a path.
func port(of url: String) -> String { url.split(separator: ":").last.map(String.init) ?? "" }

/// The storage under the default deployment.
enum StorageEngine: String, CaseIterable, Sendable {
    case sqlite, postgresql

    /// The default deployment on it, with an empty database, and what the host needs in its environment.
    ///
    /// - Parameter mode: where the storage runs.
    func deployment(mode: String = "inproc") async throws -> (folder: TemporaryFolder, environment: [String: String]) {
        switch self {
        case .sqlite:
            return (
                try defaultDeployment(["10-sqlite.yaml": try defaultFile("10-sqlite.yaml") + "mode: \(mode)\n"]), [:]
            )
        case .postgresql:
            let server = try await PostgreSQLServer.shared()
            let database = try await server.makeDatabase()
            let folder = try defaultDeployment([
                "00-host.yaml": try defaultFile("00-host.yaml").replacing(
                    "storage: sqlite", with: "storage: postgresql"),
                "10-sqlite.yaml": try defaultFile("10-sqlite.yaml") + "enabled: false\n",
                "11-postgresql.yaml": """
                plugin: PostgreSQL
                instance: postgresql
                critical: true
                mode: \(mode)
                grants:
                  connect: ["127.0.0.1:\(server.port)"]
                  secrets: {password: {from: "env:THEATRE_TEST_PASSWORD"}}
                config: {port: \(server.port), database: \(database), sslmode: disable}

                """,
            ])
            return (folder, ["THEATRE_TEST_PASSWORD": PostgreSQLServer.password])
        }
    }
}
