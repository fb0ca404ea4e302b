// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SwiftProtobuf
import Testing
import TheatreContracts

@testable import Services

@Suite struct MetricsTests {
    @Test func textIsSortedAndEscaped() {
        let text = PrometheusText.render([
            MetricFamily(
                "b_total", .counter, "Line\nand \\.",
                [
                    MetricSample(["z": "1", "a": "q\"\\\n"], 3), MetricSample([:], 0.5),
                ]),
            MetricFamily(
                "a_seconds", .histogram, "Time.",
                [
                    MetricSample(["le": "0.5"], 1, suffix: "_bucket"),
                    MetricSample(["le": "+Inf"], 2, suffix: "_bucket"),
                    MetricSample([:], 1.25, suffix: "_sum"), MetricSample([:], 2, suffix: "_count"),
                ]),
            MetricFamily("c", .gauge, "Empty.", []),
            MetricFamily("b_total", .counter, "Line\nand \\.", [MetricSample(["z": "2"], 1e18)]),
        ])
        #expect(
            text == """
                # HELP a_seconds Time.
                # TYPE a_seconds histogram
                a_seconds_bucket{le="0.5"} 1
                a_seconds_bucket{le="+Inf"} 2
                a_seconds_sum 1.25
                a_seconds_count 2
                # HELP b_total Line\\nand \\\\.
                # TYPE b_total counter
                b_total 0.5
                b_total{a="q\\"\\\\\\n",z="1"} 3
                b_total{z="2"} 1e+18

                """)
    }

    private func record(_ service: MetricsService, _ samples: [HostSample], _ instance: String = "orders") async throws
        -> CallError?
    {
        let call = try FakeHostCall(HostRecordRequest.with { $0.samples = samples }, instance: instance)
        service.serve("Record", call)
        return await call.error()
    }

    private func sample(_ name: String, _ value: Double, _ counter: Bool, _ labels: [String: String] = [:])
        -> HostSample
    {
        HostSample.with {
            $0.name = name
            $0.value = value
            $0.counter = counter
            $0.labels = labels
        }
    }

    @Test func countersAddAndGaugesSet() async throws {
        let service = MetricsService()
        for value in [2.0, 3.0] {
            let error = try await record(
                service, [sample("paid_total", value, true, ["kind": "chips"]), sample("queue", value, false)])
            #expect(error == nil)
        }
        #expect(
            PrometheusText.render(service.metrics()) == """
                # HELP theatre_plugin_paid_total A figure that plugins record.
                # TYPE theatre_plugin_paid_total counter
                theatre_plugin_paid_total{generation="1",instance="orders",kind="chips"} 5
                # HELP theatre_plugin_queue A figure that plugins record.
                # TYPE theatre_plugin_queue gauge
                theatre_plugin_queue{generation="1",instance="orders"} 3

                """)
    }

    @Test func aHundredSeriesAreKeptAndNoMore() async throws {
        let service = MetricsService()
        let hundred = (0..<100).map { sample("a_total", 1, true, ["n": "\($0)"]) }
        #expect(try await record(service, hundred) == nil)
        let error = try await record(service, [sample("a_total", 1, true, ["n": "100"])])
        #expect(error?.reason == "metrics.too_many_series")
        #expect(try await record(service, [sample("a_total", 1, true, ["n": "99"])]) == nil)
        #expect(try await record(service, [sample("a_total", 1, true, ["n": "100"])], "ledger") == nil)
    }

    @Test func malformedSamplesAreRefused() async throws {
        let service = MetricsService()
        let bad = [
            sample("Upper", 1, false), sample("paid", 1, true), sample("paid_total", 1, false),
            sample("paid_total", -1, true), sample("x", .nan, false), sample("x", 1, false, ["instance": "other"]),
            sample("x", 1, false, ["generation": "9"]),
            sample("x", 1, false, ["a b": "c"]),
        ]
        for sample in bad {
            #expect(try await record(service, [sample])?.reason == "metrics.bad_sample", "\(sample)")
        }
    }

    @Test func theProcessTellsOfItself() {
        let names = ProcessMetrics.families().map(\.name)
        #expect(names == ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"])
        #expect(ProcessMetrics.families().allSatisfy { $0.samples[0].value > 0 })
    }
}
