// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Rows from before there were keys of persons are sealed by a job, of all tenants, a few at a time. Until then they are
/// read as they are; whatever is written is sealed.
extension AccountsStore {
    static let sealingKind = "accounts.seal"
    private static let batch: Int64 = 50
    private static let batches = 20

    private static let unsealed = """
        /* tenants: all */ SELECT tenant, id, email, nickname, bio FROM {accounts}
        WHERE pending = 0 AND erased_at IS NULL AND (sealed_profile IS NULL OR email LIKE '%@%') AND id > ?1
        ORDER BY id LIMIT ?2
        """

    /// Has the job run, where there is something to seal.
    func startSealing() async throws {
        guard try await !database.read(Self.unsealed, "", Int64(1)).isEmpty else { return }
        try await database.commit { $0.enqueue(Self.sealing(after: "")) }
    }

    /// Seals what comes after an id, and leaves the rest to the next job.
    static func seal(after id: String, _ call: Call) async throws {
        let (database, vault) = (Database(call, feature: "accounts.storage"), PersonalVault(call))
        var last = id
        for _ in 0..<batches {
            let rows = try await database.read(unsealed, last, batch)
            for row in rows {
                last = try row.text("id")
                do {
                    try await seal(row, database, vault, call)
                } catch let error as PluginError where error.reason == "personal.erased" {
                    // Its person was erased since it was read: nothing of him is left to be sealed.
                    call.host.log.debug("an account's person was erased: it is not sealed", ["account.id": last])
                }
            }
            if rows.count < Int(batch) { return }
        }
        let next = sealing(after: last)
        try await database.commit { $0.enqueue(next) }
    }

    private static func seal(_ row: Row, _ database: Database, _ vault: PersonalVault, _ call: Call) async throws {
        let (tenant, id, email) = (try row.text("tenant"), try row.text("id"), try row.text("email"))
        let (nickname, bio) = (try row.text("nickname"), try row.text("bio"))
        let address = PersonalVault.address(email)
        let sealed = try await vault.seal(
            .with {
                $0.id = id
                $0.email = address
                $0.nickname = nickname
                $0.bio = bio
            })
        var index = email
        if !address.isEmpty { index = try await KeyedIndex(call).text(of: address, tenant: tenant) }
        // An account that has changed meanwhile is left to the next activation's job.
        try await database.commit {
            $0.run(
                """
                /* tenants: all */ UPDATE {accounts} SET email = ?3, nickname = '', bio = '', sealed_address = ?4,
                    sealed_profile = COALESCE(sealed_profile, ?5)
                WHERE tenant = ?1 AND id = ?2 AND email = ?6 AND nickname = ?7 AND bio = ?8 AND erased_at IS NULL
                """, tenant, id, index, sealed.address, sealed.profile, email, nickname, bio)
        }
    }

    private static func sealing(after id: String) -> JobsNewJob {
        JobsNewJob("privacy", kind: sealingKind, bytes: Array(id.utf8), uniqueKey: "seal:\(id)")
    }
}
