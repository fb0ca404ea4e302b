// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
public import TheatreContracts

/// How a write transaction stands to others, and how often it is begun anew.
public struct WriteOptions: Sendable, Hashable {
    /// How much it may see of transactions that run at the same time. SQLite gives `serializable` for each.
    public var isolation: SQLIsolation
    /// Longest time from its begin to its end, at most 2 s.
    public var timeout: Duration
    /// How often it is begun where another transaction got in the way: the body runs as often.
    public var attempts: Int

    /// As given, all with defaults.
    public init(isolation: SQLIsolation = .serializable, timeout: Duration = .seconds(2), attempts: Int = 8) {
        self.isolation = isolation
        self.timeout = timeout
        self.attempts = attempts
    }

    var begin: SQLBegin? {
        guard isolation != .serializable || timeout != .seconds(2) else { return nil }
        return .with {
            $0.isolation = isolation
            $0.timeoutMs = timeout.milliseconds
        }
    }
}

extension PluginError {
    /// Whether a transaction that ended so may be begun anew: nothing of it was kept, and what got in its way was another
    /// one. A database that is away, busy or full is not asked again: its callers would wait for all attempts together,
    /// longer than their own deadlines, where they may say at once that it is.
    var allowsAnotherTransaction: Bool {
        guard effect == .none, reason.hasPrefix("sql.") else { return false }
        if reason == PluginError.unknownStatement { return true }
        return code == .aborted && retry != .never
    }

    static let unknownStatement = "sql.unknown_statement"
}

/// The pause before a transaction is begun anew: at random up to a bound that doubles, so that rivals part.
enum TransactionPause {
    static func milliseconds(after attempt: Int, _ random: (ClosedRange<Int>) -> Int) -> Int {
        random(1...min(250, 4 << min(attempt, 8)))
    }

    nonisolated(nonsending) static func take(after attempt: Int) async throws {
        try await Task.sleep(for: .milliseconds(milliseconds(after: attempt) { Int.random(in: $0) }))
    }
}
