// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The 64-bit FNV-1a hash followed by the finalizer of SplitMix64: the same on every machine, for ever.
enum StableHash {
    /// The hash of bytes.
    static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return mix(hash)
    }

    /// The hash of scalars, each as four bytes, least significant first, after a byte that tells what they are.
    static func of(kind: UInt8, _ scalars: some Sequence<UInt32>) -> UInt64 {
        var hash: UInt64 = (0xCBF2_9CE4_8422_2325 ^ UInt64(kind)) &* 0x100_0000_01B3
        for scalar in scalars {
            for shift in [0, 8, 16, 24] as [UInt32] {
                hash = (hash ^ UInt64(scalar >> shift & 0xFF)) &* 0x100_0000_01B3
            }
        }
        return mix(hash)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
