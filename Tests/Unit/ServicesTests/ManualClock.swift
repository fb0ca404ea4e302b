// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import Services

/// A clock that stands until it is moved, and then calls what became due, in order of time.
final class ManualClock: ServiceClock {
    private struct State {
        var now: Int64
        var next = 0
        var wakes: [Int: (at: Int64, body: @Sendable () -> Void)] = [:]
    }

    private let state: Mutex<State>

    init(at now: Int64 = 1_000_000) { state = Mutex(State(now: now)) }

    var wall: Int64 { state.withLock { $0.now } }
    var monotonic: UInt64 { UInt64(wall) * 1_000_000 }
    /// Milliseconds until the next wake-up; nil where none is set.
    var untilNext: Int64? {
        state.withLock { state in state.wakes.values.map(\.at).min().map { $0 - state.now } }
    }

    func wake(after milliseconds: Int64, _ body: @escaping @Sendable () -> Void) -> any PendingWake {
        let number = state.withLock { state in
            state.next += 1
            state.wakes[state.next] = (state.now + milliseconds, body)
            return state.next
        }
        return Wake(clock: self, number: number)
    }

    func advance(_ milliseconds: Int64) {
        let end = wall + milliseconds
        while let body = due(by: end) { body() }
        state.withLock { $0.now = end }
    }

    private func due(by end: Int64) -> (@Sendable () -> Void)? {
        state.withLock { state in
            let first = state.wakes.filter { $0.value.at <= end }.min { ($0.value.at, $0.key) < ($1.value.at, $1.key) }
            guard let first else { return nil }
            state.now = max(state.now, first.value.at)
            state.wakes[first.key] = nil
            return first.value.body
        }
    }

    private func cancel(_ number: Int) { state.withLock { $0.wakes[number] = nil } }

    private struct Wake: PendingWake {
        let clock: ManualClock
        let number: Int
        func cancel() { clock.cancel(number) }
    }
}
