// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where a refund stands.
enum RefundPhase: String, Sendable, CaseIterable {
    /// The chips are not held yet.
    case initial = "init"
    /// The chips are held and the provider is to be asked.
    case held
    /// The provider has it.
    case pending
    /// The provider did not answer.
    case unknown
    /// The payer has the money; the chips are to be taken.
    case returned
    /// The provider refused; the chips are to be freed.
    case declined
    case succeeded, failed

    /// Nothing is left to do.
    var isFinal: Bool { self == .succeeded || self == .failed }

    /// As clients see it.
    var shown: String {
        switch self {
        case .initial, .held, .pending, .returned, .declined: "PENDING"
        case .unknown: "UNKNOWN"
        case .succeeded: "SUCCEEDED"
        case .failed: "FAILED"
        }
    }
}

/// What the provider says of a refund.
enum RefundReport: Sendable, Equatable {
    case pending, succeeded, failed, noAnswer, notFound
}

/// A refund's life: hold the chips, give the money back, take the chips.
struct RefundMachine: Sendable, Equatable {
    private(set) var phase: RefundPhase

    init(phase: RefundPhase = .initial) { self.phase = phase }

    /// What is to be done next.
    enum Action: Equatable {
        case hold, send, ask, settle, void, nothing
    }

    var next: Action {
        switch phase {
        case .initial: .hold
        case .held: .send
        case .pending, .unknown: .ask
        case .returned: .settle
        case .declined: .void
        case .succeeded, .failed: .nothing
        }
    }

    /// The chips are held.
    mutating func held() -> Bool { move(from: [.initial], to: .held) }

    /// The chips are not there: nothing was sent, nothing is held.
    mutating func refused() -> Bool { move(from: [.initial], to: .failed) }

    /// What the provider says; false where that is nothing new.
    mutating func report(_ report: RefundReport) -> Bool {
        let waits: [RefundPhase] = [.held, .pending, .unknown]
        switch report {
        case .pending: return move(from: [.held, .unknown], to: .pending)
        case .succeeded: return move(from: waits, to: .returned)
        case .failed: return move(from: waits, to: .declined)
        case .noAnswer: return move(from: [.held], to: .unknown)
        // Asked for again with the same number: the provider makes it once.
        case .notFound: return move(from: [.pending, .unknown], to: .held)
        }
    }

    /// The chips were taken.
    mutating func settled() -> Bool { move(from: [.returned], to: .succeeded) }

    /// The chips were freed.
    mutating func voided() -> Bool { move(from: [.declined], to: .failed) }

    private mutating func move(from: [RefundPhase], to: RefundPhase) -> Bool {
        guard from.contains(phase) else { return false }
        phase = to
        return true
    }
}
