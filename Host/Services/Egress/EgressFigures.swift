// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import Synchronization

/// Counts of the egress service, by generation of the instance: those that serve, and the one before.
final class EgressFigures: Sendable {
    private struct Counts {
        var requests: [String: Int] = [:]
        var bytes = 0
        var underWay = 0
    }

    private let state = Mutex<[String: [UInt32: Counts]]>([:])

    /// A request was let through.
    func begin(_ who: InstanceIdentity) { change(who) { $0.underWay += 1 } }

    /// A request was not let through.
    func refuse(_ who: InstanceIdentity, _ error: CallError) {
        change(who) { $0.requests[error.reason, default: 0] += 1 }
    }

    /// A request ended.
    func end(_ who: InstanceIdentity, _ error: CallError?, bytes: Int) {
        change(who) { counts in
            counts.underWay -= 1
            counts.bytes += bytes
            counts.requests[error?.reason ?? "answered", default: 0] += 1
        }
    }

    private func change(_ who: InstanceIdentity, _ body: (inout Counts) -> Void) {
        state.withLock { state in
            body(&state[who.instance, default: [:]][who.generation, default: Counts()])
            state[who.instance]?.forgetOld { $0.underWay == 0 }
        }
    }

    /// As metrics.
    func families() -> [MetricFamily] {
        let state = state.withLock { $0 }
        func samples(_ body: ([String: String], Counts) -> [MetricSample]) -> [MetricSample] {
            state.flatMap { instance, generations in
                generations.flatMap { body(["instance": instance, "generation": "\($0)"], $1) }
            }
        }
        return [
            MetricFamily(
                "theatre_egress_requests_total", .counter, "HTTP requests of plugins to the outside.",
                samples { labels, counts in
                    counts.requests.map { MetricSample(labels.merging(["outcome": $0]) { $1 }, Double($1)) }
                }),
            MetricFamily(
                "theatre_egress_response_bytes_total", .counter, "Body bytes of answers from the outside.",
                samples { [MetricSample($0, Double($1.bytes))] }),
            MetricFamily(
                "theatre_egress_in_flight", .gauge, "HTTP requests to the outside under way.",
                samples { [MetricSample($0, Double($1.underWay))] }),
        ]
    }
}
