// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts
public import TheatrePlugin

/// What stands for an address in a column by which it is found: its MAC by the host's key `index`. Who has the database
/// alone cannot even try addresses.
///
/// The version of the key that the first address was indexed by is the one for all: a newer version does not make known
/// addresses unknown.
public struct KeyedIndex {
    /// The table that this needs beside the plugin's own, for one of its migrations.
    public static let table = """
        -- global: {pinned_keys}
        CREATE TABLE {pinned_keys} (
            name TEXT NOT NULL,
            key_id TEXT NOT NULL,
            PRIMARY KEY (name)
        );
        """

    private let database: Database
    private let keys: HostKeysClient
    private let purpose: String

    /// An index of the calling instance.
    ///
    /// - Parameters:
    ///   - feature: its storage.
    ///   - purpose: keeps what stands for an address here from standing for it elsewhere.
    public init(_ scope: some CallScope, storage feature: String, purpose: String) {
        database = Database(scope, feature: feature)
        keys = HostKeysClient(scope)
        self.purpose = purpose
    }

    /// Holds no `@`, so that none is taken for an address.
    public func text(of address: String, tenant: String) async throws -> String {
        let data = Data("\(purpose)\n\(tenant)\n\(address)".utf8)
        let version = try await version()
        let response = try await keys.mac(
            .with {
                $0.key = "index"
                $0.data = data
                $0.keyID = version ?? ""
            })
        guard response.mac.count == 32 else {
            throw PluginError(
                .failedPrecondition, "keys.missing",
                "The host has no key \"index\" for this instance that makes MACs; grant one.")
        }
        if version == nil, !response.keyID.isEmpty {
            try await pin(response.keyID)
            // Another may have been first, by another version.
            guard try await self.version() == response.keyID else { return try await text(of: address, tenant: tenant) }
        }
        return "mac:" + Base64URL.encode(response.mac)
    }

    private func version() async throws -> String? {
        try await database.read("SELECT key_id FROM {pinned_keys} WHERE name = 'index'").first?.text("key_id")
    }

    private func pin(_ version: String) async throws {
        try await database.commit {
            $0.run(
                "INSERT INTO {pinned_keys} (name, key_id) VALUES ('index', ?1) ON CONFLICT (name) DO NOTHING", version)
        }
    }
}
