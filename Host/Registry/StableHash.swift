// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// FNV-1a of 64 bits, mixed: the same on every machine, in every version.
///
/// Percentages and weights go by it, so its values are part of the interface: who was in the first tenth yesterday is
/// in it tomorrow. With `h` the FNV-1a of the key's UTF-8, `s` the FNV-1a of the feature's, and `mix` the finisher of
/// MurmurHash3, a key stands at `mix(h ^ s) % 10,000` hundredths of a percent, and at `mix(h ^ ~s) % sum` of a sum of
/// weights; the two are independent of each other, and of other features.
public enum StableHash {
    /// FNV-1a of a string's UTF-8.
    public static func of(_ string: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        let fast: Void? = string.utf8.withContiguousStorageIfAvailable { bytes in
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        }
        if fast == nil {
            for byte in string.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        }
        return hash
    }

    /// Where a key stands in a feature's percentages: 0..<10,000, hundredths of a percent.
    public static func percentile(of key: String, feature: String) -> Int {
        Int(percentile(of(key), salt: of(feature)))
    }

    static func percentile(_ hash: UInt64, salt: UInt64) -> UInt64 { mix(hash ^ salt) % 10_000 }

    static func share(_ hash: UInt64, salt: UInt64, of sum: UInt64) -> UInt64 { mix(hash ^ ~salt) % max(1, sum) }

    private static func mix(_ hash: UInt64) -> UInt64 {
        var h = hash
        h = (h ^ (h >> 33)) &* 0xff51_afd7_ed55_8ccd
        h = (h ^ (h >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return h ^ (h >> 33)
    }
}
