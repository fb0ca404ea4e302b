// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer

/// A storage plugin under the fixture `Journal`, as a deployment.
struct FaultEngine: Sendable {
    /// The plugin's YAML file.
    let storage: String
    /// What the host needs in its environment.
    var environment: [String: String] = [:]
    /// Of a server; empty for a file.
    var database = ""
    /// How long the work of a job takes.
    var workMilliseconds = 0
    /// More of the fixture's configuration, as YAML between braces.
    var journal = ""

    /// A file in the host's state folder.
    static let sqlite = FaultEngine(storage: "plugin: SQLite\ninstance: storage\ngrants: {state_folder: true}\n")

    /// A file of this path.
    static func sqlite(at path: String) -> FaultEngine {
        FaultEngine(storage: sqlite.storage + "config: {path: \"\(path)\", busy_timeout_ms: 1000}\n")
    }

    /// A new database of a server, or of servers that stand in for each other.
    static func postgreSQL(_ servers: PostgreSQLServer...) async throws -> FaultEngine {
        guard let first = servers.first else { throw Unexpected("no server") }
        let database = try await first.makeDatabase()
        let hosts = servers.map { "\"127.0.0.1:\($0.port)\"" }.joined(separator: ", ")
        return FaultEngine(
            storage: """
                plugin: PostgreSQL
                instance: storage
                grants: {connect: [\(hosts)], secrets: {password: {from: "env:THEATRE_TEST_PASSWORD"}}}
                config: {hosts: [\(hosts)], database: \(database), sslmode: disable}

                """,
            environment: ["THEATRE_TEST_PASSWORD": PostgreSQLServer.password], database: database)
    }

    /// The files of `plugins.d`.
    var deployment: [String: String] {
        [
            "00-host.yaml": """
            development: true
            storage: storage
            log: {level: info, format: json}
            rates:
              default: {per_minute: 10000000, burst: 1000000}
            drain_seconds: 20

            """,
            "10-storage.yaml": storage + "critical: true\n",
            "20-journal.yaml": """
            plugin: Journal
            instance: journal
            grants: {publishes: [journal]}
            config: {work_ms: \(workMilliseconds)\(journal.isEmpty ? "" : ", \(journal)")}

            """,
        ]
    }
}
