// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// A wish that everything be erased, and how far it is.
struct Erasure: Sendable {
    enum State: String, Sendable { case cooling, erasing, erased, cancelled }

    /// Until then it can be taken back.
    static let coolingMilliseconds: Int64 = 7 * 86_400_000

    let id: String
    let account: String
    var state: State
    let requestedAt: Int64
    let erasesAt: Int64
    /// What others erased, once they did: JSON of ``ErasureReceipt/Part``.
    var parts: String?
    var erasedAt: Int64?
    var receipt: String?

    /// A new one. Its id holds 256 random bits: who knows it may ask for the receipt.
    init(of account: String, at now: Int64) {
        id = "era_" + RefreshToken.random().text
        self.account = account
        state = .cooling
        requestedAt = now
        erasesAt = now + Self.coolingMilliseconds
    }

    init?(_ row: Row) throws {
        guard let state = State(rawValue: try row.text("state")) else { return nil }
        id = try row.text("id")
        account = try row.text("account")
        self.state = state
        requestedAt = try row.int("requested_at")
        erasesAt = try row.int("erases_at")
        parts = try row.optionalText("parts")
        erasedAt = try row.optionalInt("erased_at")
        receipt = try row.optionalText("receipt")
    }

    /// As it is told.
    var message: AccountsErasure {
        .with {
            $0.id = id
            $0.state = state.rawValue
            $0.requestedAt = requestedAt
            $0.erasesAt = erasesAt
            $0.erasedAt = erasedAt ?? 0
            $0.receipt = receipt ?? ""
        }
    }
}
