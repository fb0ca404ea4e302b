// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What a person sees of the books.
struct WalletReader {
    let db: Database
    let now: Int64

    /// Balances are read with holds that time has ended left out, whether or not that was written down.
    private static let balances = """
        SELECT a.account, a.currency, a.balance, COALESCE((
            SELECT SUM(h.amount) FROM {holds} AS h WHERE h.tenant = a.tenant AND h.account = a.account
                AND h.phase = 'held' AND h.expires_at > ?1), 0) AS held
        FROM {accounts} AS a WHERE a.tenant = :tenant
        """

    func balance(of account: Account) async throws -> LedgerBalance {
        let rows = try await db.read("\(Self.balances) AND a.account = ?2", now, account.name)
        if let row = rows.first { return try Self.balance(row) }
        return .with {
            $0.account = account.name
            $0.currency = account.currency
        }
    }

    func wallet(of user: String) async throws -> LedgerWallet {
        let (low, high) = Self.range(user)
        let rows = try await db.read(
            "\(Self.balances) AND a.account >= ?2 AND a.account < ?3 ORDER BY a.account", now, low, high)
        var wallet = LedgerWallet()
        wallet.balances = try rows.map(Self.balance)
        return wallet
    }

    func entries(of user: String, limit: Int, cursor: String) async throws -> LedgerWalletEntries {
        let (low, high) = Self.range(user)
        var after: (any SQLConvertible, any SQLConvertible) = ("~", Int64.max)
        if !cursor.isEmpty {
            let cursor = try PageCursor(text: cursor, count: 2)
            after = (cursor.values[0], cursor.values[1])
        }
        let rows = try await db.read(
            """
            SELECT p.entry_id, p.place, p.currency, p.amount, e.memo, e.reference, e.at
            FROM {postings} AS p JOIN {entries} AS e ON e.tenant = p.tenant AND e.id = p.entry_id
            WHERE p.tenant = :tenant AND p.account >= ?1 AND p.account < ?2
                AND (p.entry_id < ?3 OR (p.entry_id = ?3 AND p.place < ?4))
            ORDER BY p.entry_id DESC, p.place DESC LIMIT ?5
            """, low, high, after.0, after.1, limit + 1)
        var page = LedgerWalletEntries()
        page.items = try rows.prefix(limit).map(Self.item)
        if rows.count > limit { page.nextCursor = try PageCursor(rows[limit - 1], "entry_id", "place").text }
        return page
    }

    /// All of them, in pages of a keyset.
    func balances(of user: String, by keyset: Keyset, after cursor: String) async throws -> Page {
        let (low, high) = Self.range(user)
        return try await db.page(
            "\(Self.balances) AND a.account >= ?2 AND a.account < ?3", by: keyset, after: cursor, limit: 200, now, low,
            high)
    }

    /// All of them, in pages of a keyset.
    func entries(of user: String, by keyset: Keyset, after cursor: String) async throws -> Page {
        let (low, high) = Self.range(user)
        return try await db.page(
            """
            SELECT p.entry_id, p.place, p.currency, p.amount, e.memo, e.reference, e.at
            FROM {postings} AS p JOIN {entries} AS e ON e.tenant = p.tenant AND e.id = p.entry_id
            WHERE p.tenant = :tenant AND p.account >= ?1 AND p.account < ?2
            """, by: keyset, after: cursor, limit: 200, low, high)
    }

    /// Names from `user:ID:` up to the next byte after the colon.
    private static func range(_ user: String) -> (String, String) { ("user:\(user):", "user:\(user);") }

    private static func balance(_ row: Row) throws -> LedgerBalance {
        var balance = LedgerBalance()
        balance.account = try row.text("account")
        balance.currency = try row.text("currency")
        balance.balance = try row.int("balance")
        balance.held = try row.int("held")
        balance.available = try Amount.subtract(balance.balance, balance.held)
        return balance
    }

    private static func item(_ row: Row) throws -> LedgerWalletEntry {
        var item = LedgerWalletEntry()
        item.entryID = try row.text("entry_id")
        item.amount.amount = try row.int("amount")
        item.amount.currency = try row.text("currency")
        item.memo = try row.text("memo")
        item.reference = try row.text("reference")
        item.at = try row.int("at")
        return item
    }
}
