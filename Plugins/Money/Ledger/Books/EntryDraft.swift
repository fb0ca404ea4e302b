// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// An entry that has been checked and not yet been posted.
struct EntryDraft: Sendable {
    /// One side.
    struct Side: Sendable {
        let account: Account
        let amount: Int64
    }

    let key: String
    let sides: [Side]
    let memo: String
    let reference: String
    /// SHA-256 of what was asked for: the same key must mean the same.
    let digest: [UInt8]

    /// Checks a request, or INVALID_ARGUMENT with the field at fault.
    init(_ request: LedgerPostRequest) throws {
        try Self.check(key: request.key)
        try Self.check(memo: request.memo, reference: request.reference)
        guard (2...100).contains(request.postings.count) else { throw LedgerError.count() }
        key = request.key
        memo = request.memo
        reference = request.reference
        digest = Digest.sha256(try request.serializedBytes() as [UInt8])
        sides = try request.postings.enumerated().map { index, posting in
            let account = try Account(posting.account, at: "/postings/\(index)/account")
            guard account.currency == posting.currency else {
                throw LedgerError.currency("/postings/\(index)/currency")
            }
            guard posting.amount != 0, posting.amount.magnitude <= Amount.most.magnitude else {
                throw LedgerError.amount("/postings/\(index)/amount", "other than 0 and within ±2^53")
            }
            return Side(account: account, amount: posting.amount)
        }
        var sums: [String: Int64] = [:]
        for side in sides {
            sums[side.account.currency] = try Amount.add(sums[side.account.currency, default: 0], side.amount)
        }
        for (currency, sum) in sums.sorted(by: { $0.key < $1.key }) where sum != 0 {
            throw LedgerError.unbalanced(currency)
        }
    }

    /// The entry that a hold becomes.
    init(settling hold: HoldRow, amount: Int64, to receiver: Account, memo: String) throws {
        key = "hold/\(hold.id)"
        self.memo = memo.isEmpty ? hold.memo : memo
        reference = hold.reference
        sides = [
            Side(account: try Account(hold.account, at: "/key"), amount: -amount),
            Side(account: receiver, amount: amount),
        ]
        digest = Digest.sha256(Array("\(key) \(amount) \(receiver.name)".utf8))
    }

    /// What each account gains, in the order of their names: accounts are always touched in one order.
    func changes() throws -> [(account: Account, amount: Int64)] {
        var sums: [Account: Int64] = [:]
        for side in sides { sums[side.account] = try Amount.add(sums[side.account, default: 0], side.amount) }
        return sums.sorted { $0.key.name < $1.key.name }.map { ($0.key, $0.value) }
    }

    static func check(key: String) throws {
        guard (1...200).contains(key.utf8.count), !key.hasPrefix("hold/") else { throw LedgerError.key("/key") }
    }

    static func check(memo: String, reference: String) throws {
        guard memo.utf8.count <= 500 else { throw LedgerError.text("/memo") }
        guard reference.utf8.count <= 500 else { throw LedgerError.text("/reference") }
    }
}
