// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Who is shut out, in the rows of accounts: a sign-in writes the same row and so never slips past a ban.
struct BanStore {
    let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "accounts.storage") }

    /// The ban of an account that counts now.
    func ban(of account: String, at now: Int64) async throws -> AccountsBan? {
        try await database.read(
            """
            SELECT id, ban_reason, banned_by, banned_at, banned_until FROM {accounts}
            WHERE tenant = :tenant AND id = ?1 AND banned_at IS NOT NULL AND (banned_until IS NULL OR banned_until > ?2)
            """, account, now
        ).first.map { row in
            var ban = AccountsBan()
            ban.userID = try row.text("id")
            ban.reason = try row.text("ban_reason")
            ban.by = try row.text("banned_by")
            ban.at = try row.int("banned_at")
            ban.until = try row.optionalInt("banned_until") ?? 0
            return ban
        }
    }

    /// Shuts an account out, ends its sessions and keys, and answers.
    func ban(_ ban: AccountsBan) async throws {
        let until: Int64? = ban.until == 0 ? nil : ban.until
        try await database.write { tx in
            let found = try await tx.run(
                """
                UPDATE {accounts} SET ban_reason = ?2, banned_by = ?3, banned_at = ?4, banned_until = ?5
                WHERE tenant = :tenant AND id = ?1 AND pending = 0 AND erased_at IS NULL
                """, ban.userID, ban.reason, ban.by, ban.at, until)
            guard found.changed == 1 else { throw AccountsError.noUser() }
            _ = try await SessionStore.endAll(of: ban.userID, at: ban.at, cause: "banned", tx)
            _ = try await KeyStore.endAll(of: ban.userID, at: ban.at, cause: "banned", tx)
            tx.publish(
                type: "account.banned", aggregate: ban.userID, data: #"{"account_id":"\#(ban.userID)"}"#)
            try tx.answer(ban)
        }
    }

    /// Lets an account in again, and answers.
    func unban(_ account: String, answer: some Message) async throws {
        try await database.write { tx in
            let found = try await tx.run(
                """
                UPDATE {accounts} SET ban_reason = NULL, banned_by = NULL, banned_at = NULL, banned_until = NULL
                WHERE tenant = :tenant AND id = ?1 AND pending = 0
                """, account)
            guard found.changed == 1 else { throw AccountsError.noUser() }
            tx.publish(type: "account.unbanned", aggregate: account, data: #"{"account_id":"\#(account)"}"#)
            try tx.answer(answer)
        }
    }
}
