// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePluginTesting

@testable import PostgreSQL
@testable import SQLite

/// The engines that the suite runs against; `pgbouncer` is PostgreSQL behind a proxy that pools transactions.
enum Engine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite, postgresql, pgbouncer
    /// PostgreSQL, in a database that sorts texts as a dictionary does.
    case collated

    static let allCases: [Engine] = [.sqlite, .postgresql, .pgbouncer]
    /// Where the meaning of statements is compared.
    static let meaning = allCases + [.collated]

    var testDescription: String { rawValue }

    func install(on host: TestHost, _ configuration: [String: Int], checksTenants: Bool) async throws {
        let check = checksTenants ? "" : ", \"tenant_check\": \"off\""
        let figures = configuration.map { ", \"\($0.key)\": \($0.value)" }.sorted().joined() + check
        switch self {
        case .sqlite:
            let instance = try await host.install(
                SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "storage",
                configuration: "{\"path\": \":temporary:\"\(figures)}")
            OpenedInstances.current?.add(instance)
        case .postgresql, .pgbouncer, .collated:
            let server = try await PostgreSQLServer.shared()
            let database = try await server.makeDatabase(language: self == .collated ? "en-US" : nil)
            host.serve("theatre.host.v1.Secrets/Lease") { (_: HostLeaseRequest, _) in
                HostLeaseResponse.with { $0.value = Data(PostgreSQLServer.password.utf8) }
            }
            let isPooled = self == .pgbouncer
            let port = isPooled ? try await TransactionProxy.shared().port : server.port
            let proxied = isPooled ? ", \"prepared_statements\": \"off\"" : ""
            let instance = try await host.install(
                PostgreSQL.self, manifest: .plugin("Storage/PostgreSQL"), instance: "storage",
                configuration: "{\"port\": \(port), \"database\": \"\(database)\"\(proxied)\(figures)}")
            OpenedInstances.current?.add(instance)
        }
    }
}
