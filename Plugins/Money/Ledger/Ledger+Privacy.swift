// TheatreOS
// SPDX-License-Identifier: Apache-2.0

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

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        let reader = WalletReader(db: database(call), now: host.now)
        let balances = ExportList("balances", by: Keyset(.ascending("account"))) { keyset, cursor in
            try await reader.balances(of: request.person, by: keyset, after: cursor)
        } show: { row in
            Balance(account: try row.text("account"), balance: try row.int("balance"), held: try row.int("held"))
        }
        let order = Keyset(.descending("entry_id"), .descending("place"))
        let entries = ExportList("entries", by: order, numbers: ["place"]) { keyset, cursor in
            try await reader.entries(of: request.person, by: keyset, after: cursor)
        } show: { row in
            Entry(
                id: try row.text("entry_id"), amount: try row.int("amount"), currency: try row.text("currency"),
                memo: try row.text("memo"), reference: try row.text("reference"),
                at: PersonalExport.time(try row.int("at")))
        }
        return try await PersonalExport(balances, entries).answer(request)
    }

    func erase(_ request: PrivacyEraseRequest, _ call: Call) async throws -> PrivacyEraseResponse {
        .with { $0.kept = ["postings: books are kept as the law asks for it, under the pseudonym"] }
    }
}
