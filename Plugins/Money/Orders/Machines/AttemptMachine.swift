// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where a payment attempt stands.
enum AttemptPhase: String, Sendable, CaseIterable {
    case initial = "init"
    case pending, success, failed, unknown

    /// Another must not be started.
    var isLive: Bool { self == .initial || self == .pending || self == .unknown }
}

/// What the provider says of a payment.
enum PaymentReport: Sendable, Equatable {
    /// It waits for the payer.
    case pending
    /// It is paid.
    case succeeded
    /// It will never be paid.
    case failed(String)
    /// There was no answer.
    case noAnswer
    /// The provider never heard of it.
    case notFound
}

/// A payment attempt's life.
struct AttemptMachine: Sendable, Equatable {
    private(set) var phase: AttemptPhase
    /// A stable code where it failed.
    private(set) var failure: String

    init(phase: AttemptPhase = .initial, failure: String = "") {
        self.phase = phase
        self.failure = failure
    }

    /// What a report comes to.
    enum Step: Equatable {
        /// Nothing new.
        case same
        /// Another way of waiting.
        case waits
        /// Paid, for the first time.
        case paid
        /// Failed, for the first time.
        case failed
        /// Paid after it was over: a person must look.
        case conflict
    }

    /// - Parameter isOld: so much time has passed that what the provider never heard of will not come.
    mutating func report(_ report: PaymentReport, isOld: Bool = false) -> Step {
        switch (phase, report) {
        case (.success, _): return .same
        case (.failed, .succeeded): return .conflict
        case (.failed, _): return .same
        case (_, .succeeded):
            phase = .success
            return .paid
        case (_, .failed(let code)):
            return fail(code)
        case (_, .notFound) where isOld && phase != .pending:
            return fail("payment.never_arrived")
        case (_, .notFound): return .same
        case (.initial, .pending), (.unknown, .pending):
            phase = .pending
            return .waits
        case (.initial, .noAnswer):
            phase = .unknown
            return .waits
        case (_, .pending), (_, .noAnswer): return .same
        }
    }

    private mutating func fail(_ code: String) -> Step {
        phase = .failed
        failure = code
        return .failed
    }
}
