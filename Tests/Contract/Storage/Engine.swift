// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PostgreSQL
import PostgreSQLServer
import SQLite
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePluginTesting

/// The engines that the suite runs against.
enum Engine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite, postgresql

    var testDescription: String { rawValue }

    func install(on host: TestHost, _ configuration: [String: Int]) async throws {
        let figures = configuration.map { ", \"\($0.key)\": \($0.value)" }.sorted().joined()
        switch self {
        case .sqlite:
            try await host.install(
                SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "storage",
                configuration: "{\"path\": \":temporary:\"\(figures)}")
        case .postgresql:
            let server = try await PostgreSQLServer.shared()
            let database = try await server.makeDatabase()
            host.serve("theatre.host.v1.Secrets/Lease") { (_: HostLeaseRequest, _) in
                HostLeaseResponse.with { $0.value = Data(PostgreSQLServer.password.utf8) }
            }
            try await host.install(
                PostgreSQL.self, manifest: .plugin("Storage/PostgreSQL"), instance: "storage",
                configuration: "{\"port\": \(server.port), \"database\": \"\(database)\"\(figures)}")
        }
    }
}
