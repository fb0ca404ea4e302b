// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Services

/// The dispatcher's counters as metric families.
enum DispatchMetrics {
    /// Of every serving instance.
    static func families(_ instances: [InstanceSnapshot]) -> [MetricFamily] {
        var calls: [MetricSample] = []
        var seconds: [MetricSample] = []
        for instance in instances {
            let who = labels(instance)
            for operation in instance.operations where operation.started > 0 {
                let labels = who.merging(["operation": operation.operation]) { $1 }
                for (code, count) in operation.byCode.enumerated() where count > 0 {
                    let name = StatusCode(lenient: Int32(code)).description
                    calls.append(MetricSample(labels.merging(["code": name]) { $1 }, Double(count)))
                }
                seconds += histogram(operation, labels)
            }
        }
        return [
            MetricFamily("theatre_calls_total", .counter, "Completed calls by instance, operation and code.", calls),
            MetricFamily(
                "theatre_call_duration_seconds", .histogram, "Time of calls by instance and operation.", seconds),
            gauge("theatre_calls_in_flight", "Calls being served.", instances) { Double($0.inFlight) },
            gauge("theatre_calls_orphaned", "Calls that outlived their deadline.", instances) { Double($0.orphans) },
            counter("theatre_completions_late_total", "Completions after the deadline, dropped.", instances) {
                $0.late
            },
            counter("theatre_completions_double_total", "Second completions, dropped.", instances) { $0.double },
            counter("theatre_completions_foreign_total", "Completions of others' calls, dropped.", instances) {
                $0.foreign
            },
            counter("theatre_completions_malformed_total", "Completions with a broken result.", instances) {
                $0.malformed
            },
        ]
    }

    /// How many builds of each plugin are mapped into this process.
    static func builds(_ images: [String: Int]) -> MetricFamily {
        MetricFamily(
            "theatre_plugin_builds_mapped", .gauge,
            "Builds of a plugin in the host's process; none is unmapped before it ends, see resident_builds.",
            images.map { MetricSample(["plugin": $0], Double($1)) })
    }

    /// Cumulative buckets of powers of two microseconds.
    private static func histogram(_ operation: OperationSnapshot, _ labels: [String: String]) -> [MetricSample] {
        var samples: [MetricSample] = []
        var sum: UInt64 = 0
        for (index, count) in operation.buckets.enumerated() {
            sum += count
            let isLast = index == operation.buckets.count - 1
            let bound = isLast ? "+Inf" : "\(Double(UInt64(1) << UInt64(index)) / 1_000_000)"
            if count > 0 || isLast {
                samples.append(MetricSample(labels.merging(["le": bound]) { $1 }, Double(sum), suffix: "_bucket"))
            }
        }
        samples.append(MetricSample(labels, Double(operation.nanoseconds) / 1e9, suffix: "_sum"))
        samples.append(MetricSample(labels, Double(sum), suffix: "_count"))
        return samples
    }

    private static func gauge(
        _ name: String, _ help: String, _ instances: [InstanceSnapshot], _ value: (InstanceSnapshot) -> Double
    ) -> MetricFamily {
        MetricFamily(name, .gauge, help, instances.map { MetricSample(labels($0), value($0)) })
    }

    private static func labels(_ instance: InstanceSnapshot) -> [String: String] {
        ["instance": instance.instance, "generation": "\(instance.generation)"]
    }

    private static func counter(
        _ name: String, _ help: String, _ instances: [InstanceSnapshot], _ value: (InstanceSnapshot) -> UInt64
    ) -> MetricFamily {
        MetricFamily(name, .counter, help, instances.map { MetricSample(labels($0), Double(value($0))) })
    }
}
