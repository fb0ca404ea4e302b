// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// FNV-1a of 64 bits: the same on every machine, in every version.
///
/// Percentages and weights go by it, so its values are part of the interface: who was in the first tenth yesterday is
/// in it tomorrow.
public struct StableHash: Sendable, Hashable {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    /// The hash of no bytes.
    public init() {}

    /// Continues with the UTF-8 of a string.
    public mutating func combine(_ string: String) {
        for byte in string.utf8 { combine(byte) }
    }

    /// Continues with a byte.
    public mutating func combine(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    /// The hash with its bits mixed (the finisher of MurmurHash3), for taking a remainder.
    public var value: UInt64 {
        var h = state
        h = (h ^ (h >> 33)) &* 0xff51_afd7_ed55_8ccd
        h = (h ^ (h >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return h ^ (h >> 33)
    }

    /// Where a key stands in a feature's percentages: 0..<10,000, hundredths of a percent.
    ///
    /// The hash of `feature`, a zero byte, `%`, and `key`, modulo 10,000.
    public static func percentile(of key: String, feature: String) -> Int {
        salted(feature, UInt8(ascii: "%")).percentile(of: key)
    }

    static func salted(_ feature: String, _ purpose: UInt8) -> StableHash {
        var hash = StableHash()
        hash.combine(feature)
        hash.combine(UInt8(0))
        hash.combine(purpose)
        return hash
    }

    func percentile(of key: String) -> Int { Int(remainder(of: key, by: 10_000)) }

    func remainder(of key: String, by divisor: UInt64) -> UInt64 {
        var hash = self
        hash.combine(key)
        return hash.value % divisor
    }
}
