// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// The books inside one write transaction.
struct LedgerStore {
    let tx: Transaction
    let now: Int64

    /// A cached balance.
    struct AccountRow {
        var balance: Int64 = 0
        var held: Int64 = 0
        var version: Int64 = 0
    }

    // MARK: Accounts

    nonisolated(nonsending) func account(_ account: Account) async throws -> AccountRow {
        let rows = try await tx.run(
            "SELECT balance, held, version FROM {accounts} WHERE tenant = :tenant AND account = ?1", account.name)
        guard let row = rows.first else { return AccountRow() }
        return AccountRow(balance: try row.int("balance"), held: try row.int("held"), version: try row.int("version"))
    }

    /// Writes a balance back; `before` is the version it was made from.
    nonisolated(nonsending) func save(_ row: AccountRow, of account: Account, before: Int64) async throws {
        if !account.mayOverdraw {
            guard try Amount.subtract(row.balance, row.held) >= 0 else { throw LedgerError.insufficient(account.name) }
        }
        if before == 0 {
            try await tx.run(
                """
                INSERT INTO {accounts} (tenant, account, currency, balance, held, version)
                VALUES (:tenant, ?1, ?2, ?3, ?4, 1)
                """, expect: 1, account.name, account.currency, row.balance, row.held)
        } else {
            try await tx.run(
                """
                UPDATE {accounts} SET balance = ?2, held = ?3, version = version + 1
                WHERE tenant = :tenant AND account = ?1 AND version = ?4
                """, expect: 1, account.name, row.balance, row.held, before)
        }
    }

    // MARK: Entries

    /// The entry under a key with its digest.
    nonisolated(nonsending) func entry(key: String) async throws -> (entry: LedgerEntry, digest: [UInt8])? {
        let rows = try await tx.run(LedgerRows.entryByKey, key)
        return try LedgerRows.entry(rows)
    }

    /// Posts a draft; `freed` is taken off what the first account holds, where a hold becomes an entry.
    nonisolated(nonsending) func post(_ draft: EntryDraft, freeing freed: (account: String, amount: Int64)? = nil)
        async throws -> LedgerEntry
    {
        for change in try draft.changes() {
            try await expireHolds(of: change.account.name)
            var row = try await account(change.account)
            let before = row.version
            row.balance = try Amount.add(row.balance, change.amount)
            if let freed, freed.account == change.account.name {
                row.held = try Amount.subtract(row.held, freed.amount)
            }
            try await save(row, of: change.account, before: before)
        }
        let id = ULID.next(prefix: "ent", at: now)
        try await tx.run(
            """
            INSERT INTO {entries} (tenant, id, key, digest, memo, reference, at)
            VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6)
            """, expect: 1, id, draft.key, draft.digest, draft.memo, draft.reference, now)
        for (place, side) in draft.sides.enumerated() {
            try await tx.run(
                """
                INSERT INTO {postings} (tenant, entry_id, place, account, currency, amount)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)
                """, expect: 1, id, place, side.account.name, side.account.currency, side.amount)
        }
        return LedgerRows.entry(id, draft, at: now)
    }

    // MARK: Holds

    nonisolated(nonsending) func hold(key: String) async throws -> HoldRow? {
        try await tx.run(LedgerRows.holdByKey, key).first.map(LedgerRows.hold)
    }

    nonisolated(nonsending) func insert(_ hold: HoldRow) async throws {
        try await tx.run(
            """
            INSERT INTO {holds} (tenant, key, id, digest, account, currency, amount, phase, expires_at, memo, reference,
                entry_id, settled_amount, settled_to)
            VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, '', 0, '')
            """, expect: 1, hold.key, hold.id, hold.digest, hold.account, hold.currency, hold.amount,
            hold.phase.rawValue, hold.expiresAt, hold.memo, hold.reference)
    }

    /// Ends a hold that was held.
    nonisolated(nonsending) func end(_ hold: HoldRow) async throws {
        try await tx.run(
            """
            UPDATE {holds} SET phase = ?2, entry_id = ?3, settled_amount = ?4, settled_to = ?5
            WHERE tenant = :tenant AND key = ?1 AND phase = 'held'
            """, expect: 1, hold.key, hold.phase.rawValue, hold.entryID, hold.settledAmount, hold.settledTo)
    }

    /// Writes down which holds of an account time has ended, and frees what they held.
    nonisolated(nonsending) func expireHolds(of name: String) async throws {
        let rows = try await tx.run(
            """
            SELECT key, amount FROM {holds}
            WHERE tenant = :tenant AND account = ?1 AND phase = 'held' AND expires_at <= ?2 LIMIT 500
            """, name, now)
        var freed: Int64 = 0
        for row in rows {
            freed = try Amount.add(freed, row.int("amount"))
            try await tx.run(
                "UPDATE {holds} SET phase = 'expired' WHERE tenant = :tenant AND key = ?1 AND phase = 'held'",
                expect: 1,
                row.text("key"))
        }
        guard freed > 0 else { return }
        try await tx.run(
            "UPDATE {accounts} SET held = held - ?2, version = version + 1 WHERE tenant = :tenant AND account = ?1",
            expect: 1, name, freed)
    }
}
