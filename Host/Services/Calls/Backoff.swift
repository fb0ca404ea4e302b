// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Waits between attempts: 1 s, doubling to 60 s.
struct Backoff: Sendable, Hashable {
    /// Failures in a row.
    private(set) var failures = 0

    /// Counts a failure and says how long to wait, in milliseconds.
    mutating func fail() -> Int64 {
        failures += 1
        return Self.milliseconds(after: failures)
    }

    /// All is well.
    mutating func reset() { failures = 0 }

    /// The wait after so many failures in a row.
    static func milliseconds(after failures: Int) -> Int64 {
        min(60_000, 1000 << Int64(min(max(failures - 1, 0), 6)))
    }
}
