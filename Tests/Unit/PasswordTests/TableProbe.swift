// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization
import Testing
import TheatrePlugin
import TheatrePluginTesting

/// Stands under another instance's name before it is installed, so that a test can look into its tables.
struct TableProbe: Plugin {
    struct Configuration: Decodable, Sendable { var id: String }

    static var operations: [TheatrePlugin.Operation<TableProbe>] { [] }
    private static let hosts = Mutex<[String: PluginHost]>([:])

    init(_ host: PluginHost, _ configuration: Configuration) throws {
        Self.hosts.withLock { $0[configuration.id] = host }
    }

    /// Takes the name; calls with the scope reach the tables of whoever has it afterwards.
    static func install(_ host: TestHost, as name: String, storage feature: String) async throws -> PluginHost {
        let id = UUID().uuidString
        try await host.install(
            TableProbe.self,
            manifest: .json(
                """
                {"manifest": 1, "name": "TableProbe", "version": "0.1.0",
                 "needs": [{"feature": "\(feature)", "capability": "theatre.sql.v1.Database"}],
                 "calls": ["\(feature)/Query", "\(feature)/Commit"], "configuration": {"type": "object"}}
                """), instance: name, configuration: #"{"id": "\#(id)"}"#)
        return try #require(hosts.withLock { $0.removeValue(forKey: id) })
    }
}
