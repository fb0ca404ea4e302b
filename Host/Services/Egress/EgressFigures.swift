// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import Synchronization

/// Counts of the egress service.
final class EgressFigures: Sendable {
    private struct Key: Hashable {
        var instance: String
        var outcome: String
    }

    private struct State {
        var requests: [Key: Int] = [:]
        var bytes: [String: Int] = [:]
        var underWay: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// A request was let through.
    func begin(_ instance: String) { state.withLock { $0.underWay[instance, default: 0] += 1 } }

    /// A request was not let through.
    func refuse(_ instance: String, _ error: CallError) {
        state.withLock { $0.requests[Key(instance: instance, outcome: error.reason), default: 0] += 1 }
    }

    /// A request ended.
    func end(_ instance: String, _ error: CallError?, bytes: Int) {
        state.withLock { state in
            state.underWay[instance, default: 0] -= 1
            state.bytes[instance, default: 0] += bytes
            state.requests[Key(instance: instance, outcome: error?.reason ?? "answered"), default: 0] += 1
        }
    }

    /// As metrics.
    func families() -> [MetricFamily] {
        let state = state.withLock { $0 }
        return [
            MetricFamily(
                "theatre_egress_requests_total", .counter, "HTTP requests of plugins to the outside.",
                state.requests.map { MetricSample(["instance": $0.instance, "outcome": $0.outcome], Double($1)) }),
            MetricFamily(
                "theatre_egress_response_bytes_total", .counter, "Body bytes of answers from the outside.",
                state.bytes.map { MetricSample(["instance": $0], Double($1)) }),
            MetricFamily(
                "theatre_egress_in_flight", .gauge, "HTTP requests to the outside under way.",
                state.underWay.map { MetricSample(["instance": $0], Double($1)) }),
        ]
    }
}
