// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// How many streams a link has open at once: fewer than every server takes, so that a call waits here, where it can be
/// given up without a trace, and not half begun in the transport.
final class StreamTurns: Sendable {
    /// Servers take 100 if they say nothing; the session and the watch of the server's health have one each.
    static let limit = 96

    private struct State {
        var free = StreamTurns.limit
        var next: UInt64 = 0
        var waiting: [(number: UInt64, continuation: UnsafeContinuation<Bool, Never>)] = []
        /// Given up before they waited.
        var abandoned: Set<UInt64> = []
    }

    private let state = Mutex(State())

    /// Returns once it is the caller's turn, which ends with ``give()``; throws `CancellationError` where its task is
    /// cancelled first.
    func take() async throws {
        let number = state.withLock { state -> UInt64? in
            guard state.free == 0 else {
                state.free -= 1
                return nil
            }
            state.next += 1
            return state.next
        }
        guard let number else { return }
        let hasTurn = await withTaskCancellationHandler {
            await withUnsafeContinuation { wait(number, $0) }
        } onCancel: {
            giveUp(number)
        }
        state.withLock { _ = $0.abandoned.remove(number) }
        guard hasTurn else { throw CancellationError() }
    }

    /// The turn is over: whoever waits longest has it.
    func give() {
        let next = state.withLock { state -> UnsafeContinuation<Bool, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst().continuation }
            state.free += 1
            return nil
        }
        next?.resume(returning: true)
    }

    private func wait(_ number: UInt64, _ continuation: UnsafeContinuation<Bool, Never>) {
        let hasTurn = state.withLock { state -> Bool? in
            if state.abandoned.contains(number) { return false }
            guard state.free == 0 else {
                state.free -= 1
                return true
            }
            state.waiting.append((number, continuation))
            return nil
        }
        if let hasTurn { continuation.resume(returning: hasTurn) }
    }

    private func giveUp(_ number: UInt64) {
        let waiter = state.withLock { state -> UnsafeContinuation<Bool, Never>? in
            guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
                state.abandoned.insert(number)
                return nil
            }
            return state.waiting.remove(at: index).continuation
        }
        waiter?.resume(returning: false)
    }
}
