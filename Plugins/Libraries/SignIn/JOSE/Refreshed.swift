// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A document of somebody else's, kept while it is fresh: fetched by one caller at a time, at most once a minute for
/// callers who miss something in it, and served stale where it cannot be fetched.
public final class Refreshed<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var freshUntil: Int64 = 0
        var attemptedAt: Int64?
        var isFetching = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private enum Step {
        case use(Value), wait, fetch
    }

    private let state = Mutex(State())
    private let pause: Int64

    /// - Parameter pause: milliseconds between two fetches, however much is missed.
    public init(pause: Int64 = 60_000) { self.pause = pause }

    /// The document.
    ///
    /// - Parameters:
    ///   - now: milliseconds since 1970.
    ///   - missing: something was not in it: fetch it again, if the last time is long enough ago.
    ///   - fetch: the document and for how many milliseconds it is fresh.
    /// - Throws: what `fetch` throws, where there is none of before.
    public func value(
        at now: Int64, missing: Bool = false, _ fetch: () async throws -> (Value, Int64)
    ) async throws -> Value {
        while true {
            switch state.withLock({ step(&$0, now, missing) }) {
            case .use(let value): return value
            case .wait:
                await withCheckedContinuation { continuation in
                    let isOver = state.withLock { state in
                        if state.isFetching { state.waiting.append(continuation) }
                        return !state.isFetching
                    }
                    if isOver { continuation.resume() }
                }
            case .fetch: return try await fetched(at: now, fetch)
            }
        }
    }

    private func step(_ state: inout State, _ now: Int64, _ missing: Bool) -> Step {
        if let value = state.value {
            let isRecent = state.attemptedAt.map { now - $0 < pause && now >= $0 } ?? false
            if isRecent ? !state.isFetching : !missing && now < state.freshUntil { return .use(value) }
        }
        guard !state.isFetching else { return .wait }
        state.isFetching = true
        state.attemptedAt = now
        return .fetch
    }

    private func fetched(at now: Int64, _ fetch: () async throws -> (Value, Int64)) async throws -> Value {
        do {
            let (value, milliseconds) = try await fetch()
            end { state in
                state.value = value
                state.freshUntil = now + milliseconds
            }
            return value
        } catch {
            let old = state.withLock { $0.value }
            end { _ in }
            guard let old else { throw error }
            return old
        }
    }

    private func end(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            state.isFetching = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
