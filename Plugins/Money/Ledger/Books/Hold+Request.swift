// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension HoldRow {
    /// The namespace of hold ids.
    private static let namespace = "6f0a5c1e-6d0d-5b1e-9c55-2f3f8b1f8f10"

    /// A hold as it is asked for, or INVALID_ARGUMENT with the field at fault.
    init(_ request: LedgerHoldRequest, at now: Int64, hours: Int64) throws {
        try EntryDraft.check(key: request.key)
        try EntryDraft.check(memo: request.memo, reference: request.reference)
        let account = try Account(request.account, at: "/account")
        guard account.currency == request.amount.currency else { throw LedgerError.currency("/amount/currency") }
        guard (1...Amount.most).contains(request.amount.amount) else {
            throw LedgerError.amount("/amount/amount", "more than 0 and at most 2^53")
        }
        let end = request.expiresAt == 0 ? now + hours * 3_600_000 : request.expiresAt
        guard let id = UUIDv5(Self.namespace, request.key) else { throw LedgerError.key("/key") }
        self.init(
            id: id.description, key: request.key, account: account.name, currency: account.currency,
            amount: request.amount.amount, phase: .held, expiresAt: end, memo: request.memo,
            reference: request.reference, entryID: "", settledAmount: 0, settledTo: "",
            digest: Digest.sha256(try request.serializedBytes() as [UInt8]))
    }
}
