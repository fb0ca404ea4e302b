// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// How the last 32 calls ended.
struct OutcomeWindow: Sendable {
    private var bits: UInt32 = 0
    /// Calls in it.
    private(set) var count = 0

    mutating func add(failed: Bool) {
        bits = bits << 1 | (failed ? 1 : 0)
        count = min(count + 1, 32)
    }

    /// The share that failed, in thousandths.
    var permille: Int { count == 0 ? 0 : bits.nonzeroBitCount * 1000 / count }
}
