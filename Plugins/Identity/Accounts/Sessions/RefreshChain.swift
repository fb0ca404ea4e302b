// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The refresh tokens of one session, as hashes: the one that counts, and the one before it. A pure state machine.
///
/// Every token but the first is made from the one before it, so that the same successor can be answered again within
/// the grace without being stored. At most one token counts at any time.
struct RefreshChain: Sendable, Hashable {
    /// How long things count, in milliseconds.
    struct Limits: Sendable, Hashable {
        /// A used token is answered with its successor again for so long; 0 for never.
        var grace: Int64
        /// Longest time between two uses.
        var idle: Int64
        /// Longest life of the session.
        var absolute: Int64
    }

    /// What becomes of a token that was presented.
    enum Outcome: Sendable, Hashable {
        /// Its successor counts from now on.
        case rotated
        /// Its successor, which counts already, is answered again.
        case repeated
        /// Its successor, which counts already, was made by another version of the key, which is to make it again.
        case remade
        /// It was used before: the session has ended by this.
        case reused
        /// The session has ended before, or lapsed.
        case refused
    }

    /// Hash of the token that counts.
    private(set) var current: [UInt8]
    /// Hash of the one before it.
    private(set) var previous: [UInt8]?
    /// When `previous` was used, in milliseconds since 1970.
    private(set) var rotatedAt: Int64
    /// When the session began.
    let createdAt: Int64
    /// When a token was used last.
    private(set) var usedAt: Int64
    /// When the session was ended, if it was.
    private(set) var revokedAt: Int64?

    /// A session that begins.
    init(first: [UInt8], at now: Int64) {
        self.init(current: first, previous: nil, rotatedAt: now, createdAt: now, usedAt: now, revokedAt: nil)
    }

    /// A session as stored.
    init(
        current: [UInt8], previous: [UInt8]?, rotatedAt: Int64, createdAt: Int64, usedAt: Int64, revokedAt: Int64?
    ) {
        self.current = current
        self.previous = previous
        self.rotatedAt = rotatedAt
        self.createdAt = createdAt
        self.usedAt = usedAt
        self.revokedAt = revokedAt
    }

    /// Whether a token of the session may still be traded.
    func isAlive(at now: Int64, _ limits: Limits) -> Bool {
        revokedAt == nil && now - usedAt <= limits.idle && now - createdAt <= limits.absolute
    }

    /// Presents a token that was given out in this session.
    ///
    /// - Parameters:
    ///   - token: its hash.
    ///   - successor: hash of the token made from it.
    mutating func present(_ token: [UInt8], successor: [UInt8], at now: Int64, _ limits: Limits) -> Outcome {
        guard isAlive(at: now, limits) else { return .refused }
        if token == current {
            previous = current
            current = successor
            rotatedAt = now
            usedAt = now
            return .rotated
        }
        if token == previous, limits.grace > 0, now - rotatedAt <= limits.grace {
            // The key was rotated in between: nobody has stolen the token.
            return successor == current ? .repeated : .remade
        }
        revokedAt = now
        return .reused
    }

    /// Ends the session; false where it had ended.
    mutating func revoke(at now: Int64) -> Bool {
        guard revokedAt == nil else { return false }
        revokedAt = now
        return true
    }
}
