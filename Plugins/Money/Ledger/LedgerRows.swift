// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Rows of the books as messages.
enum LedgerRows {
    /// An entry with its postings, in their order.
    static let entryByKey = """
        SELECT e.id, e.key, e.digest, e.memo, e.reference, e.at, p.account, p.currency, p.amount
        FROM {entries} AS e JOIN {postings} AS p ON p.tenant = e.tenant AND p.entry_id = e.id
        WHERE e.tenant = :tenant AND e.key = ?1 ORDER BY p.place
        """

    /// A hold.
    static let holdByKey = """
        SELECT key, id, digest, account, currency, amount, phase, expires_at, memo, reference, entry_id, settled_amount,
            settled_to
        FROM {holds} WHERE tenant = :tenant AND key = ?1
        """

    static func entry(_ rows: Rows) throws -> (entry: LedgerEntry, digest: [UInt8])? {
        guard let first = rows.first else { return nil }
        var entry = LedgerEntry()
        entry.id = try first.text("id")
        entry.key = try first.text("key")
        entry.memo = try first.text("memo")
        entry.reference = try first.text("reference")
        entry.at = try first.int("at")
        for row in rows {
            var posting = LedgerPosting()
            posting.account = try row.text("account")
            posting.currency = try row.text("currency")
            posting.amount = try row.int("amount")
            entry.postings.append(posting)
        }
        return (entry, Array(try first.blob("digest")))
    }

    static func entry(_ id: String, _ draft: EntryDraft, at now: Int64) -> LedgerEntry {
        .with {
            $0.id = id
            $0.key = draft.key
            $0.memo = draft.memo
            $0.reference = draft.reference
            $0.at = now
            $0.postings = draft.sides.map { side in
                .with {
                    $0.account = side.account.name
                    $0.currency = side.account.currency
                    $0.amount = side.amount
                }
            }
        }
    }

    static func hold(_ row: Row) throws -> HoldRow {
        guard let phase = HoldPhase(rawValue: try row.text("phase")) else { throw LedgerError.broken("hold") }
        return HoldRow(
            id: try row.text("id"), key: try row.text("key"), account: try row.text("account"),
            currency: try row.text("currency"), amount: try row.int("amount"), phase: phase,
            expiresAt: try row.int("expires_at"), memo: try row.text("memo"), reference: try row.text("reference"),
            entryID: try row.text("entry_id"), settledAmount: try row.int("settled_amount"),
            settledTo: try row.text("settled_to"), digest: Array(try row.blob("digest")))
    }
}
