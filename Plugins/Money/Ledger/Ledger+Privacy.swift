// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PersonalExports
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What the books hold of a person: balances and postings under his id, which stay.
extension Ledger: PrivacyHolderContract {
    private struct Balance: Encodable {
        var account: String
        var balance: Int64
        var held: Int64
    }

    private struct Entry: Encodable {
        var id: String
        var amount: Int64
        var currency: String
        var memo: String
        var reference: String
        var at: String
    }

    private struct Export: Encodable {
        var balances: [Balance]
        /// The newest; the rest are in the wallet.
        var entries: [Entry]
        var truncated: Bool
    }

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        let reader = WalletReader(db: database(call), now: host.now)
        let wallet = try await reader.wallet(of: request.person)
        var budget = ExportBudget()
        let balances = try budget.fitting(
            wallet.balances.map { Balance(account: $0.account, balance: $0.balance, held: $0.held) })
        var (entries, cursor) = ([Entry](), "")
        repeat {
            let page = try await reader.entries(of: request.person, limit: 100, cursor: cursor)
            entries += try budget.fitting(
                page.items.map { item in
                    Entry(
                        id: item.entryID, amount: item.amount.amount, currency: item.amount.currency, memo: item.memo,
                        reference: item.reference,
                        at: Date(timeIntervalSince1970: Double(item.at) / 1000).ISO8601Format())
                })
            cursor = page.nextCursor
        } while !cursor.isEmpty && !budget.isTruncated
        let export = Export(balances: balances, entries: entries, truncated: budget.isTruncated)
        let json = String(decoding: try JSONEncoder().encode(export), as: UTF8.self)
        return .with { $0.json = json }
    }

    func erase(_ request: PrivacyEraseRequest, _ call: Call) async throws -> PrivacyEraseResponse {
        .with { $0.kept = ["postings: books are kept as the law asks for it, under the pseudonym"] }
    }
}
