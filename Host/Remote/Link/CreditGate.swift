// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Where the one sender of a stream waits for credit.
final class CreditGate: Sendable {
    private let state = Mutex(State())

    private struct State {
        /// How often credit came.
        var count: UInt64 = 0
        var waiter: CheckedContinuation<Void, any Error>?
        var isClosed = false
    }

    /// How often credit came so far: look at it before an attempt to send.
    var count: UInt64 { state.withLock { $0.count } }

    /// Credit came.
    func open() {
        let waiter = state.withLock { state in
            state.count += 1
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns once credit came after `count`; throws `CancellationError` where the task is cancelled first.
    func wait(after count: UInt64) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOver: Bool? = state.withLock { state in
                    if state.isClosed { return false }
                    if state.count > count { return true }
                    state.waiter = continuation
                    return nil
                }
                switch isOver {
                case true?: continuation.resume()
                case false?: continuation.resume(throwing: CancellationError())
                case nil: return
                }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.isClosed = true
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }
}
