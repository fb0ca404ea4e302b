// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What ids cannot hold: which request a job is of, and which were cancelled. Kept in memory, for a day.
final class VideoJobs: Sendable {
    /// How long a job is known.
    static let life: Int64 = 86_400_000
    /// Most jobs that are kept; beyond it the oldest are forgotten.
    private static let most = 10_000

    private struct State {
        var ids: [String: VideoJobID] = [:]
        var order: [String] = []
        var cancelled: [String: Int64] = [:]
    }

    private let state = Mutex(State())

    /// The job of a request: the one that is known, else a new one.
    func start(_ request: String, now: Int64, make: () -> VideoJobID) -> VideoJobID {
        state.withLock { state in
            Self.forget(&state, now)
            if let known = state.ids[request] { return known }
            let id = make()
            state.ids[request] = id
            state.order.append(request)
            return id
        }
    }

    /// The job of a request; nil where none is known.
    func find(_ request: String, now: Int64) -> VideoJobID? {
        state.withLock { state in
            Self.forget(&state, now)
            return state.ids[request]
        }
    }

    /// Notes that a job ended, and when.
    func cancel(_ id: VideoJobID, now: Int64) {
        state.withLock { state in
            if state.cancelled[id.text] == nil { state.cancelled[id.text] = now }
        }
    }

    /// When a job was cancelled; nil where it was not.
    func cancelled(_ id: VideoJobID) -> Int64? { state.withLock { $0.cancelled[id.text] } }

    private static func forget(_ state: inout State, _ now: Int64) {
        state.cancelled = state.cancelled.filter { $0.value + life > now }
        while let oldest = state.order.first, let id = state.ids[oldest],
            state.order.count > most || id.createdAt + life <= now
        {
            state.ids[oldest] = nil
            state.order.removeFirst()
        }
    }
}
