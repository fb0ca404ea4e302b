// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Where a hold stands.
enum HoldPhase: String, Sendable, CaseIterable {
    case held, settled, voided, expired
}

/// A hold: reserved, then ended once.
struct HoldRow: Sendable, Equatable {
    var id: String
    var key: String
    var account: String
    var currency: String
    var amount: Int64
    var phase: HoldPhase
    var expiresAt: Int64
    var memo: String
    var reference: String
    var entryID: String
    var settledAmount: Int64
    var settledTo: String
    var digest: [UInt8]

    /// What to do with a hold that is asked to end.
    enum Step: Equatable {
        /// It has ended so before: the same answer.
        case same
        /// It ends, and this much becomes an entry; 0 for none.
        case end(settle: Int64)
        /// It ended in another way.
        case refuse(HoldPhase)
        /// More than was held.
        case tooMuch
    }

    /// The phase at a time: one that is over has expired, whether or not that was written down.
    func phase(at now: Int64) -> HoldPhase { phase == .held && expiresAt <= now ? .expired : phase }

    /// Settles `amount`, 0 for all of it.
    func settle(_ amount: Int64, to receiver: String, at now: Int64) -> Step {
        let wanted = amount == 0 ? self.amount : amount
        guard wanted > 0, wanted <= self.amount else { return .tooMuch }
        switch phase(at: now) {
        case .held: return .end(settle: wanted)
        case .settled: return wanted == settledAmount && receiver == settledTo ? .same : .refuse(.settled)
        case .voided: return .refuse(.voided)
        case .expired: return .refuse(.expired)
        }
    }

    /// Frees it.
    func void(at now: Int64) -> Step {
        switch phase(at: now) {
        case .held: .end(settle: 0)
        case .voided, .expired: .same
        case .settled: .refuse(.settled)
        }
    }

    /// As callers see it.
    func state(at now: Int64) -> LedgerHoldState {
        .with {
            $0.id = id
            $0.key = key
            $0.account = account
            $0.amount.amount = amount
            $0.amount.currency = currency
            $0.status =
                switch phase(at: now) {
                case .held: .held
                case .settled: .settled
                case .voided: .voided
                case .expired: .expired
                }
            $0.entryID = entryID
            $0.settledAmount = settledAmount
        }
    }
}
