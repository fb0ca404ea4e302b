// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What the books hold of a person: balances and postings under his id, which stay.
extension Ledger: PrivacyHolderContract {
    /// Entries in one export, the newest; the rest are in the wallet.
    private static let exported = 1000

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
        var entries: [Entry]
        var truncated: Bool
    }

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        let reader = WalletReader(db: database(call), now: host.now)
        let wallet = try await reader.wallet(of: request.person)
        let page = try await reader.entries(of: request.person, limit: Self.exported, cursor: "")
        let export = Export(
            balances: wallet.balances.map { Balance(account: $0.account, balance: $0.balance, held: $0.held) },
            entries: page.items.map { item in
                Entry(
                    id: item.entryID, amount: item.amount.amount, currency: item.amount.currency, memo: item.memo,
                    reference: item.reference,
                    at: Date(timeIntervalSince1970: Double(item.at) / 1000).ISO8601Format())
            }, truncated: !page.nextCursor.isEmpty)
        let json = String(decoding: try JSONEncoder().encode(export), as: UTF8.self)
        return .with { $0.json = json }
    }

    func erase(_ request: PrivacyEraseRequest, _ call: Call) async throws -> PrivacyEraseResponse {
        .with { $0.kept = ["postings: books are kept as the law asks for it, under the pseudonym"] }
    }
}
