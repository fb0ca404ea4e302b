// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Holds a lease as long as it can: says when this host has its turn, and when it has no longer.
struct LeaseHolding: ActionState {
    /// What happened. Times are milliseconds of a monotonic clock.
    enum Input: Sendable {
        /// Begin, or go on after a wait.
        case proceed(now: Int64)
        /// It is held, or held longer, until then at least.
        case held(token: Int64, until: Int64)
        /// Another has it.
        case taken
        /// The store knows no leases: nobody else can be there.
        case unsupported
        /// No answer.
        case failed(now: Int64)
        /// Give it back.
        case stop
    }

    /// What to do.
    enum Action: Sendable, Equatable {
        /// Take it.
        case acquire
        /// Make it longer.
        case renew(token: Int64)
        /// Give it back.
        case release(token: Int64)
        /// It is this host's turn.
        case granted
        /// It no longer is.
        case revoked
        /// Go on after so many milliseconds.
        case wait(Int64)
    }

    /// How long it lasts without a renewal, in milliseconds.
    static let ttl: Int64 = 15_000
    /// Time between renewals.
    static let renewal: Int64 = 5000
    /// How long before its end it counts as lost: clocks and answers take their time.
    static let margin: Int64 = 2000
    /// Time between attempts where another has it, or the store does not answer.
    static let pause: Int64 = 1000

    private(set) var token: Int64?
    private var until: Int64 = 0
    private var isForEver = false
    private var isCalling = false
    private var isStopping = false

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .proceed(let now): return proceed(now)
        case .held(let token, let until):
            isCalling = false
            if isStopping { return [.release(token: token)] }
            let isNew = self.token == nil
            self.token = token
            self.until = until
            return (isNew ? [.granted] : []) + [.wait(Self.renewal)]
        case .taken:
            isCalling = false
            return lose() + wait()
        case .unsupported:
            isCalling = false
            guard !isForEver else { return [] }
            isForEver = true
            return isStopping ? [] : [.granted]
        case .failed(let now):
            isCalling = false
            return expire(now) + wait()
        case .stop:
            guard !isStopping else { return [] }
            isStopping = true
            guard !isCalling, let token else { return [] }
            return [.release(token: token)]
        }
    }

    private mutating func proceed(_ now: Int64) -> [Action] {
        guard !isStopping, !isCalling, !isForEver else { return [] }
        let lost = expire(now)
        isCalling = true
        return lost + [token.map { .renew(token: $0) } ?? .acquire]
    }

    private mutating func expire(_ now: Int64) -> [Action] {
        token != nil && now >= until - Self.margin ? lose() : []
    }

    private mutating func lose() -> [Action] {
        guard token != nil else { return [] }
        token = nil
        return [.revoked]
    }

    private func wait() -> [Action] { isStopping ? [] : [.wait(Self.pause)] }
}
