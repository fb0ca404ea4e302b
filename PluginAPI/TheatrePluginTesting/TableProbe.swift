// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Synchronization
public import TheatrePlugin

/// Stands under another instance's name before it is installed, so that a test can look into its tables.
public struct TableProbe: Plugin {
    /// What tells one probe from another.
    public struct Configuration: Decodable, Sendable { var id: String }

    /// It serves nothing.
    public static var operations: [TheatrePlugin.Operation<TableProbe>] { [] }
    private static let hosts = Mutex<[String: PluginHost]>([:])

    /// Made by ``install(_:as:storage:)``.
    public init(_ host: PluginHost, _ configuration: Configuration) throws {
        Self.hosts.withLock { $0[configuration.id] = host }
    }

    /// Takes the name; calls with the scope reach the tables of whoever has it afterwards.
    public static func install(
        _ host: TestHost, as name: String, storage feature: String
    ) async throws -> PluginHost {
        let id = UUID().uuidString
        try await host.install(
            TableProbe.self,
            manifest: .json(
                """
                {"manifest": 1, "name": "TableProbe", "version": "0.1.0",
                 "needs": [{"feature": "\(feature)", "capability": "theatre.sql.v1.Database"}],
                 "calls": ["\(feature)/Query", "\(feature)/Commit"], "configuration": {"type": "object"}}
                """), instance: name, configuration: #"{"id": "\#(id)"}"#)
        guard let probe = hosts.withLock({ $0.removeValue(forKey: id) }) else {
            throw PluginError(.internal, "testing.no_probe", "\(name) was installed but never created.")
        }
        return probe
    }
}
