// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Which job is of which request, since the API keeps no ids of ours. In memory: after a restart a request is a new one.
final class VideoRequests: Sendable {
    /// What is known of a request.
    enum Known: Equatable {
        case nothing
        /// It is being asked.
        case underWay
        case job(String)
    }

    /// Most requests that are kept; beyond it the oldest are forgotten.
    private static let most = 10_000

    private struct State {
        var known: [String: Known] = [:]
        var order: [String] = []
    }

    private let state = Mutex(State())

    /// What is known; where it is nothing, the request is under way from now on.
    func begin(_ request: String) -> Known {
        state.withLock { state in
            if let known = state.known[request] { return known }
            state.known[request] = .underWay
            state.order.append(request)
            if state.order.count > Self.most { state.known[state.order.removeFirst()] = nil }
            return .nothing
        }
    }

    /// Ends what `begin` began: with a job, or with none.
    func end(_ request: String, _ job: String?) {
        state.withLock { state in
            state.known[request] = job.map { .job($0) }
            if job == nil { state.order.removeAll { $0 == request } }
        }
    }

    /// The job of a request; nil where none is known.
    func job(_ request: String) -> String? {
        state.withLock { state in
            guard case .job(let id)? = state.known[request] else { return nil }
            return id
        }
    }
}
