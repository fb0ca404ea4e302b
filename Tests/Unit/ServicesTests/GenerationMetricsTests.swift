// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Testing
import TheatreContracts

@testable import Services

/// What the services count names the generation it was counted of, and a swap begins anew.
@Suite struct GenerationMetricsTests {
    private func figures(
        _ families: [MetricFamily], _ name: String, _ labels: [String: String] = [:]
    ) -> [String: Double] {
        let samples = families.first { $0.name == name }?.samples ?? []
        return Dictionary(
            samples.filter { sample in labels.allSatisfy { sample.labels[$0.key] == $0.value } }
                .map { ($0.labels["generation"] ?? "none", $0.value) }, uniquingKeysWith: +)
    }

    @Test func deliveriesAreCountedByGeneration() {
        let bench = EventBench()
        bench.deliver()
        bench.log.append("a", "b")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        bench.calls.swap()
        bench.log.append("c")
        let families = pump.metrics()
        #expect(
            figures(families, "theatre_event_deliveries_total", ["outcome": "succeeded"]) == ["1": 2, "2": 1])
    }

    @Test func runsAreCountedByTheGenerationTheyRanIn() {
        let bench = JobBench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([JobBench.queue { $0.concurrency = 3 }])
        let first = bench.store.enqueue()
        bench.calls.swap()
        let second = bench.store.enqueue()
        bench.end(first)
        bench.end(second)
        #expect(figures(pump.metrics(), "theatre_job_runs_total", ["outcome": "done"]) == ["1": 1, "2": 1])
    }

    @Test func requestsAreCountedByGenerationAndOldOnesAreForgotten() {
        let egress = EgressFigures()
        func who(_ generation: UInt32) -> InstanceIdentity {
            InstanceIdentity(instance: "inbox", plugin: "Inbox", generation: generation, grants: ResolvedGrants())
        }
        egress.begin(who(1))
        for generation in 2...9 as ClosedRange<UInt32> {
            egress.begin(who(generation))
            egress.end(who(generation), nil, bytes: 10)
        }
        #expect(figures(egress.families(), "theatre_egress_in_flight") == ["1": 1, "9": 0], "what is under way stays")
        egress.end(who(1), CallError(.unavailable, "egress.timeout", "Late."), bytes: 0)
        egress.refuse(who(9), CallError(.permissionDenied, "egress.denied", "No."))
        let requests = figures(egress.families(), "theatre_egress_requests_total")
        #expect(requests["9"] == 2 && requests.count <= 2, "\(requests)")
    }
}
