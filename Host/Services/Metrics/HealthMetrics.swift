// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Runtime

/// How profiles are, as figures.
public enum HealthMetrics {
    private static func labels(_ report: HealthReport) -> [String: String] {
        ["profile": report.profile, "instance": report.instance, "capability": report.capability]
    }

    /// The families of a book.
    public static func families(_ reports: [HealthReport]) -> [MetricFamily] {
        let states = reports.flatMap { report in
            HealthState.allCases.map { state in
                MetricSample(
                    labels(report).merging(["state": state.rawValue]) { $1 }, report.state == state ? 1 : 0)
            }
        }
        func each(_ value: (HealthReport) -> Double) -> [MetricSample] {
            reports.map { MetricSample(labels($0), value($0)) }
        }
        return [
            MetricFamily("theatre_profile_state", .gauge, "1 for the state that a profile is in.", states),
            MetricFamily(
                "theatre_profile_calls_total", .counter, "Calls that said something of a profile.",
                each { Double($0.calls) }),
            MetricFamily(
                "theatre_profile_failures_total", .counter, "Calls that a profile failed.", each { Double($0.failures) }
            ),
            MetricFamily(
                "theatre_profile_latency_seconds", .gauge, "Average time to an answer.",
                each { Double($0.latency) / 1e6 }),
        ]
    }
}
