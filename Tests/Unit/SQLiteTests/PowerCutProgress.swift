// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What those who write and work were told is stored.
final class Progress: Sendable {
    struct Knowledge: Sendable {
        /// Entries that were acknowledged.
        var entries: Set<Int64> = []
        /// The greatest token that the job of an entry was leased with.
        var tokens: [Int64: Int64] = [:]
        /// Entries whose job's end was acknowledged.
        var finished: Set<Int64> = []
    }

    private struct State {
        var known = Knowledge()
        var isStopped = false
        var isPaused = false
        /// Writers that wait for the end of the pause.
        var waiting: [CheckedContinuation<Void, Never>] = []
        var failure: (any Error)?
        /// Who waits for that many entries.
        var goals: [(count: Int, reached: CheckedContinuation<Void, any Error>)] = []
    }

    private let state = Mutex(State())

    var known: Knowledge { state.withLock { $0.known } }

    func stop() {
        state.withLock { $0.isStopped = true }
        resume()
    }

    /// From now on writers wait after the entry they are at.
    func pause() { state.withLock { $0.isPaused = true } }

    func resume() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isPaused = false
            return state.waiting
        }
        for writer in waiting { writer.resume() }
    }

    /// Waits while there is a pause; false at the end.
    func mayGoOn() async -> Bool {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                if state.isPaused { state.waiting.append(continuation) }
                return state.isPaused
            }
            if !waits { continuation.resume() }
        }
        return state.withLock { !$0.isStopped }
    }

    func acknowledge(_ id: Int64) {
        let reached = state.withLock { state in
            state.known.entries.insert(id)
            let count = state.known.entries.count
            defer { state.goals.removeAll { $0.count <= count } }
            return state.goals.filter { $0.count <= count }
        }
        for goal in reached { goal.reached.resume() }
    }

    func lease(_ id: Int64, _ token: Int64) { state.withLock { $0.known.tokens[id] = token } }

    func finish(_ id: Int64) { state.withLock { _ = $0.known.finished.insert(id) } }

    /// Runs `body`; whoever waits for more is told what it fails with.
    func watching(_ body: () async throws -> Void) async throws {
        do { try await body() } catch {
            let waiting = state.withLock { state in
                state.failure = error
                defer { state.goals = [] }
                return state.goals
            }
            for goal in waiting { goal.reached.resume(throwing: error) }
            throw error
        }
    }

    /// Waits until that many more entries were acknowledged.
    func more(than count: Int) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let failure = state.withLock { state in
                if state.failure == nil { state.goals.append((state.known.entries.count + count, continuation)) }
                return state.failure
            }
            if let failure { continuation.resume(throwing: failure) }
        }
    }
}
