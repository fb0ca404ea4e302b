// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// What the ledger tells other plugins; people see their wallets, so there is no channel.
enum LedgerEvents {
    private struct Posted: Encodable {
        struct Posting: Encodable {
            var account: String
            var amount: Int64
            var currency: String
        }
        var entryID: String
        var key: String
        var reference: String
        var postings: [Posting]
    }

    private struct HoldChanged: Encodable {
        var holdID: String
        var key: String
        var account: String
        var amount: Int64
        var currency: String
        var phase: String
        var settledAmount: Int64
        var reference: String
    }

    static func posted(_ entry: LedgerEntry, in tx: Transaction) throws {
        let postings = entry.postings.map {
            Posted.Posting(account: $0.account, amount: $0.amount, currency: $0.currency)
        }
        let data = Posted(entryID: entry.id, key: entry.key, reference: entry.reference, postings: postings)
        tx.publish(type: "ledger.posted", aggregate: entry.id, data: try json(data))
    }

    /// `ledger.held`, `ledger.settled`, `ledger.voided`.
    static func changed(_ hold: HoldRow, in tx: Transaction) throws {
        let data = HoldChanged(
            holdID: hold.id, key: hold.key, account: hold.account, amount: hold.amount, currency: hold.currency,
            phase: hold.phase.rawValue, settledAmount: hold.settledAmount, reference: hold.reference)
        tx.publish(type: "ledger.\(hold.phase.rawValue)", aggregate: hold.id, data: try json(data))
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
