// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// When a profile counts as down, and for how long.
public struct HealthRules: Sendable, Hashable {
    /// Failures in a row that open the breaker.
    public var failures = 5
    /// As ``failures``, of a wrong key or an empty account: what no later call will find mended.
    public var lastingFailures = 2
    /// Of the last calls, the share that opens it where there are ``leastCalls`` of them, in thousandths.
    public var failedPermille = 500
    /// How many calls a share needs.
    public var leastCalls = 20
    /// Nanoseconds that the breaker is open the first time; each further time twice as long.
    public var open: UInt64 = 5_000_000_000
    /// The longest.
    public var longest: UInt64 = 300_000_000_000

    /// 5 in a row, 2 of key and quota, half of the last 32; 5 s to 5 min.
    public init() {}

    /// How long the breaker is open for the nth time.
    func pause(_ times: Int) -> UInt64 { min(longest, open << UInt64(min(max(times - 1, 0), 16))) }
}
