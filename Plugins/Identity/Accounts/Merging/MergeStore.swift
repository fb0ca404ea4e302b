// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Accounts that were taken over by others, and what they had.
struct MergeStore {
    static let undoMilliseconds: Int64 = 7 * 86_400_000
    let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "accounts.storage") }

    /// Says what would move, and answers.
    func preview(_ from: String, into: String) async throws -> AccountsMerge {
        try await database.write { tx in
            let merge = AccountsMerge.with {
                $0.from = from
                $0.into = into
            }
            let told = try await Self.counted(merge, tx)
            try tx.answer(told)
            return told
        }
    }

    /// Moves the identities of `from` to `into`, ends its sessions and keys, and answers.
    func merge(_ from: String, into: String, id: String, at now: Int64) async throws -> AccountsMerge {
        try await database.write { tx in
            // Always in the same order, so that two merges of the same two wait and do not block each other.
            for account in [from, into].sorted() { try await IdentityStore.lock(account, tx) }
            // What was asked before the transaction may have changed since; a wish takes the same lock.
            guard try await tx.run(ErasureStore.openOf, from).isEmpty else { throw AccountsError.erasing() }
            var merge = AccountsMerge()
            merge.id = id
            merge.from = from
            merge.into = into
            merge.undoUntil = now + Self.undoMilliseconds
            let rows = try await tx.run(IdentityStore.listing, from)
            merge.identities = try rows.map { try IdentityStore.shown($0) }
            try await tx.run(
                "INSERT INTO {merges} (tenant, id, source, target, merged_at) VALUES (:tenant, ?1, ?2, ?3, ?4)",
                expect: 1, id, from, into, now)
            for row in rows {
                try await tx.run(
                    "INSERT INTO {moved} (tenant, merge, provider, subject) VALUES (:tenant, ?1, ?2, ?3)", expect: 1,
                    id, try row.text("provider"), try row.text("subject"))
            }
            try await tx.run("UPDATE {identities} SET account = ?2 WHERE tenant = :tenant AND account = ?1", from, into)
            try await tx.run(
                "UPDATE {accounts} SET merged_into = ?2 WHERE tenant = :tenant AND id = ?1", expect: 1, from, into)
            merge.sessions = UInt32(try await SessionStore.endAll(of: from, at: now, cause: "merged", tx))
            merge.keys = UInt32(try await KeyStore.endAll(of: from, at: now, cause: "merged", tx))
            tx.publish(
                type: "account.merged", aggregate: from,
                data: #"{"account_id":"\#(from)","into":"\#(into)","merge_id":"\#(id)"}"#)
            try tx.answer(merge)
            return merge
        }
    }

    /// Gives an account back what was its own and is still there, and answers.
    func undo(_ id: String, by account: String, at now: Int64) async throws -> AccountsMerge {
        try await database.write { tx in
            try await IdentityStore.lock(account, tx)
            let found = try await tx.run(
                "SELECT * FROM {merges} WHERE tenant = :tenant AND id = ?1 AND target = ?2 AND undone_at IS NULL", id,
                account)
            guard let row = found.first else { throw AccountsError.noMerge() }
            guard try now - row.int("merged_at") < Self.undoMilliseconds else { throw AccountsError.mergeFinal() }
            let from = try row.text("source")
            let all = try await tx.run(IdentityStore.listing, account).count
            let moved = try await tx.run(
                """
                UPDATE {identities} AS identities SET account = ?1 WHERE tenant = :tenant AND account = ?2 AND EXISTS (
                    SELECT 1 FROM {moved} AS moved WHERE moved.tenant = :tenant AND moved.merge = ?3
                        AND moved.provider = identities.provider AND moved.subject = identities.subject)
                """, from, account, id)
            // Neither is left without a way in.
            guard moved.changed > 0, moved.changed < all else { throw AccountsError.lastIdentity() }
            try await tx.run(
                "UPDATE {accounts} SET merged_into = NULL WHERE tenant = :tenant AND id = ?1 AND merged_into = ?2",
                expect: 1, from, account)
            try await tx.run(
                "UPDATE {merges} SET undone_at = ?2 WHERE tenant = :tenant AND id = ?1 AND undone_at IS NULL",
                expect: 1, id, now)
            var merge = AccountsMerge()
            merge.id = id
            merge.from = from
            merge.into = account
            merge.identities = try await tx.run(IdentityStore.listing, from).map { try IdentityStore.shown($0) }
            tx.publish(
                type: "account.unmerged", aggregate: from,
                data: #"{"account_id":"\#(from)","from":"\#(account)","merge_id":"\#(id)"}"#)
            try tx.answer(merge)
            return merge
        }
    }

    private nonisolated(nonsending) static func counted(_ merge: AccountsMerge, _ tx: Transaction) async throws
        -> AccountsMerge
    {
        var merge = merge
        merge.identities = try await tx.run(IdentityStore.listing, merge.from).map { try IdentityStore.shown($0) }
        merge.sessions = UInt32(
            try await tx.run(
                "SELECT id FROM {sessions} WHERE tenant = :tenant AND account = ?1 AND revoked_at IS NULL", merge.from
            ).count)
        merge.keys = UInt32(
            try await tx.run(
                "SELECT id FROM {keys} WHERE tenant = :tenant AND account = ?1 AND revoked_at IS NULL", merge.from
            ).count)
        return merge
    }
}
