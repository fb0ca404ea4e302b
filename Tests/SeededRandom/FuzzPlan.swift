// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// How long fuzzers go on, and with which dice. `make fuzz` says more than `make test`.
public struct FuzzPlan: Sendable {
    /// Of all fuzzers together; 0: the short run of `make test`.
    public let minutes: Int
    /// The same seed gives the same run.
    public let seed: UInt64

    /// From `THEATRE_FUZZ_MINUTES` and `THEATRE_FUZZ_SEED`.
    public static let current: FuzzPlan = {
        let environment = ProcessInfo.processInfo.environment
        func number(_ name: String) -> UInt64? { environment["THEATRE_FUZZ_\(name)"].flatMap { UInt64($0) } }
        return FuzzPlan(minutes: Int(clamping: number("MINUTES") ?? 0), seed: number("SEED") ?? 0)
    }()

    /// Seeds of a fuzzer that runs so many in `make test`, and twenty times as many in each minute of `make fuzz`.
    public func seeds(_ count: Int) -> [UInt64] {
        (0..<UInt64(count * (1 + 20 * min(minutes, 1000)))).map { seed &+ $0 }
    }
}
