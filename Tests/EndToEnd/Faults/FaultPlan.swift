// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// How long faults are sought, and with which dice. `make soak` says more than `make test`.
struct FaultPlan: Sendable {
    /// Kills of each engine at least.
    let kills: Int
    /// Kills of two hosts on one database at least: each is followed by a look at what the other does.
    var killsOfTwo: Int { max(3, kills / 5) }
    /// Goes on at least this long with each engine.
    let duration: Duration
    /// Chooses every instant and order.
    let seed: UInt64

    /// From `THEATRE_FAULT_KILLS`, `THEATRE_FAULT_MINUTES` (of all engines together) and `THEATRE_FAULT_SEED`.
    static let current: FaultPlan = {
        let environment = ProcessInfo.processInfo.environment
        func number(_ name: String) -> Int? { environment["THEATRE_FAULT_\(name)"].flatMap { Int($0) } }
        return FaultPlan(
            kills: number("KILLS") ?? 25, duration: .seconds((number("MINUTES") ?? 0) * 60 / 2),
            seed: number("SEED").map { UInt64(truncatingIfNeeded: $0) } ?? 0x5EED)
    }()
}

/// Numbers that a seed decides (SplitMix64).
struct SeededNumbers: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
