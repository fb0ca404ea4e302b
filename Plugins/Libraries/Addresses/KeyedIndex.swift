// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts
public import TheatrePlugin

/// What stands for an address or a number in a column by which it is found: its MAC by the host's key `index`. Who has the
/// database alone cannot even try addresses.
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

    let database: Database
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

    /// Holds no `@` and does not begin with `+`, so that none is taken for an address or a number.
    public func text(of address: String, tenant: String) async throws -> String {
        try await texts(of: [(address, tenant)])[0]
    }

    /// ``text(of:tenant:)`` of each.
    public func texts(of addresses: [(address: String, tenant: String)]) async throws -> [String] {
        var version = try await version()
        var texts: [String] = []
        for (address, tenant) in addresses {
            let response = try await mac("\(purpose)\n\(tenant)\n\(address)", by: version ?? "")
            if version == nil, !response.keyID.isEmpty {
                try await pin(response.keyID)
                version = try await self.version()
                // Another was first, by another version.
                guard version == response.keyID else { return try await self.texts(of: addresses) }
            }
            texts.append("mac:" + Base64URL.encode(response.mac))
        }
        return texts
    }

    private func mac(_ text: String, by version: String) async throws -> HostMacResponse {
        let data = Data(text.utf8)
        let response = try await keys.mac(
            .with {
                $0.key = "index"
                $0.data = data
                $0.keyID = version
            })
        guard response.mac.count == 32 else {
            throw PluginError(
                .failedPrecondition, "keys.missing",
                "The host has no key \"index\" for this instance that makes MACs; grant one.")
        }
        return response
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
