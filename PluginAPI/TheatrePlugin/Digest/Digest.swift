// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Digests for plugins, in plain Swift: no library is linked for them. Keys belong to the host's Keys service.
public enum Digest {
    /// SHA-256, 32 bytes. FIPS 180-4.
    public static func sha256(_ message: some Sequence<UInt8>) -> [UInt8] {
        var hash = SHA256()
        return MerkleDamgard.digest(message, &hash)
    }

    /// SHA-1, 20 bytes, where a protocol asks for it. FIPS 180-4.
    public static func sha1(_ message: some Sequence<UInt8>) -> [UInt8] {
        var hash = SHA1()
        return MerkleDamgard.digest(message, &hash)
    }

    /// HMAC-SHA-256, 32 bytes. RFC 2104.
    public static func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        let short = key.count > 64 ? sha256(key) : key
        let block = short + [UInt8](repeating: 0, count: 64 - short.count)
        return sha256(block.map { $0 ^ 0x5C } + sha256(block.map { $0 ^ 0x36 } + message))
    }

    /// Whether two codes are equal, in a time that depends on their length only.
    public static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }
}

/// A hash that takes blocks of 64 bytes.
protocol BlockHash {
    var words: [UInt32] { get }
    mutating func absorb(_ block: ArraySlice<UInt8>)
}

/// The padding that SHA-1 and SHA-256 share.
enum MerkleDamgard {
    static func digest(_ message: some Sequence<UInt8>, _ hash: inout some BlockHash) -> [UInt8] {
        var bytes = Array(message)
        let bits = UInt64(bytes.count) &* 8
        bytes.append(0x80)
        bytes.append(contentsOf: repeatElement(0, count: (120 - bytes.count % 64) % 64))
        bytes.append(contentsOf: (0..<8).reversed().map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) })
        for start in stride(from: 0, to: bytes.count, by: 64) { hash.absorb(bytes[start..<(start + 64)]) }
        return hash.words.flatMap { word in (0..<4).reversed().map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
    }

    static func word(_ block: ArraySlice<UInt8>, _ index: Int) -> UInt32 {
        let at = block.startIndex + index * 4
        return UInt32(block[at]) << 24 | UInt32(block[at + 1]) << 16 | UInt32(block[at + 2]) << 8
            | UInt32(block[at + 3])
    }
}

extension UInt32 {
    func rotatedLeft(_ count: UInt32) -> UInt32 { self << count | self >> (32 - count) }
    func rotatedRight(_ count: UInt32) -> UInt32 { self >> count | self << (32 - count) }
}
