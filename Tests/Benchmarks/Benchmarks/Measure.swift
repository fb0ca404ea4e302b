// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Baseline

/// Samples of one figure.
struct Samples {
    private(set) var values: [Double] = []

    mutating func add(_ value: Double) { values.append(value) }

    var minimum: Double { values.min() ?? 0 }

    var median: Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}

/// Nanoseconds that `count` runs of `body` took, each.
func nanoseconds(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
    let began = baseline_now()
    try body()
    return Double(baseline_now() - began) / Double(count)
}

/// As above, for what suspends.
func nanoseconds(_ count: Int, _ body: () async throws -> Void) async rethrows -> Double {
    let began = baseline_now()
    try await body()
    return Double(baseline_now() - began) / Double(count)
}

/// What went wrong in a benchmark, in words.
struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
