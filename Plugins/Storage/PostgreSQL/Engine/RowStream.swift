// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreContracts

/// Rows between a connection and a reader: two pieces at most wait, then the connection reads no further.
final class RowStream: RowSink {
    private struct State {
        var pieces: [SQLRows] = []
        var waiter: UnsafeContinuation<SQLRows?, Never>?
        var outcome: ExchangeOutcome?
        var isFull = false
        var hasSent = false
        var stall: TimerQueue.ID?
    }

    private let lease: Lease
    private let loop: EventLoop
    private let stallMilliseconds: Int
    private let state = Mutex(State())

    init(lease: Lease, stallMilliseconds: Int, loop: EventLoop) {
        self.lease = lease
        self.stallMilliseconds = stallMilliseconds
        self.loop = loop
    }

    /// What became of the statement, once it has ended.
    var outcome: ExchangeOutcome? { state.withLock { $0.outcome } }
    /// Whether a piece was given.
    var hasSent: Bool { state.withLock { $0.hasSent } }

    // MARK: On the loop's thread

    func take(_ rows: SQLRows) -> Bool {
        let waiter = state.withLock { state -> UnsafeContinuation<SQLRows?, Never>? in
            if let waiter = state.waiter {
                state.waiter = nil
                state.hasSent = true
                return waiter
            }
            state.pieces.append(rows)
            state.isFull = state.pieces.count >= 2
            if state.isFull {
                state.stall = loop.after(milliseconds: stallMilliseconds) { [lease] in lease.stop(.stalled) }
            }
            return nil
        }
        waiter?.resume(returning: rows)
        return waiter != nil || !state.withLock { $0.isFull }
    }

    // MARK: The reader

    /// The statement has ended.
    func end(_ outcome: ExchangeOutcome) {
        let waiter = state.withLock { state in
            state.outcome = outcome
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    /// The next piece, nil at the end.
    func next() async -> SQLRows? {
        let (piece, resumes, stall) = state.withLock { state -> (SQLRows?, Bool, TimerQueue.ID?) in
            guard !state.pieces.isEmpty else { return (nil, false, nil) }
            defer {
                state.isFull = false
                state.stall = nil
                state.hasSent = true
            }
            return (state.pieces.removeFirst(), state.isFull, state.stall)
        }
        if let stall { loop.execute { [loop] in loop.cancel(stall) } }
        if resumes { lease.resume() }
        if let piece { return piece }
        return await withUnsafeContinuation { continuation in
            let now = state.withLock { state -> SQLRows?? in
                if !state.pieces.isEmpty {
                    state.hasSent = true
                    return state.pieces.removeFirst()
                }
                if state.outcome != nil { return .some(nil) }
                state.waiter = continuation
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }
}
