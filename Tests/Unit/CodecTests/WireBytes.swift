// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom

/// Bytes that are, mostly, messages of `acme.codec.v1`, made from a seed.
struct WireBytes {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// An `Everything`, or what is nearly one.
    mutating func everything(depth: Int = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...(depth > 3 ? 2 : 10), using: &random) {
            let kind = Int.random(in: 1...17, using: &random)
            let base = [0, 20, 40, 60].randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<20, using: &random) {
            case 0: bytes += unknown()
            case 1: bytes += field(500_000, 2) + delimited(text())
            case 2 where base == 40: bytes += field(kind + base, 2) + delimited(packed(kind))
            case 3: bytes += wrong(kind + base)
            default: bytes += field(kind + base, Self.format(kind)) + value(kind, depth)
            }
        }
        return bytes
    }

    /// A `Maps`.
    mutating func maps(depth: Int = 0) -> [UInt8] {
        let kinds = [(14, 3), (4, 14), (13, 16), (7, 17), (10, 15), (5, 1), (14, 0)]
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...(depth > 3 ? 1 : 6), using: &random) {
            let number = Int.random(in: 1...7, using: &random)
            let (key, held) = kinds[number - 1]
            var entry: [UInt8] = []
            if Bool.random(using: &random) { entry += field(1, Self.format(key)) + value(key, depth) }
            if Int.random(in: 0..<4, using: &random) > 0 {
                entry +=
                    field(2, held == 0 ? 2 : Self.format(held))
                    + (held == 0 ? delimited(maps(depth: depth + 1)) : value(held, depth))
            }
            if Int.random(in: 0..<8, using: &random) == 0 { entry += unknown() }
            bytes += field(number, 2) + delimited(entry)
        }
        return bytes
    }

    /// Some bytes changed, left out or put in.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
            default: bytes.removeLast(bytes.count - at)
            }
        }
        return bytes
    }

    mutating func noise() -> [UInt8] {
        (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    // MARK: Parts

    private static func format(_ kind: Int) -> Int {
        switch kind {
        case 1, 10, 12: 1
        case 2, 9, 11: 5
        case 14, 15, 17: 2
        default: 0
        }
    }

    private mutating func value(_ kind: Int, _ depth: Int) -> [UInt8] {
        switch kind {
        case 1, 10, 12: fixed(8)
        case 2, 9, 11: fixed(4)
        case 14: delimited(text())
        case 15: delimited(noise())
        case 17: delimited(everything(depth: depth + 1))
        default: varint(number())
        }
    }

    private mutating func packed(_ kind: Int) -> [UInt8] {
        (0..<Int.random(in: 0...5, using: &random)).flatMap { _ in value(kind, 9) }
    }

    private mutating func number() -> UInt64 {
        let edges: [UInt64] = [0, 1, 127, 128, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, .max, 1 << 63]
        return Bool.random(using: &random)
            ? (edges.randomElement(using: &random) ?? 0) : UInt64.random(in: 0 ... .max, using: &random)
    }

    private mutating func fixed(_ size: Int) -> [UInt8] {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: [UInt8](repeating: 0, count: size)
        // Minus zero, where it is a number with a point.
        case 1: [UInt8](repeating: 0, count: size - 1) + [0x80]
        default: (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
    }

    private mutating func text() -> [UInt8] {
        Array(
            (["", "a", "zero\0", "戏台", "🎭", "\u{7FF}\u{800}\u{FFFF}\u{10FFFF}"].randomElement(using: &random) ?? "")
                .utf8)
    }

    private mutating func unknown() -> [UInt8] {
        let number = [18, 99, 1 << 20, (1 << 29) - 2].randomElement(using: &random) ?? 18
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return field(number, 0) + varint(self.number())
        case 1: return field(number, 1) + fixed(8)
        case 2: return field(number, 2) + delimited(noise())
        case 3: return field(number, 5) + fixed(4)
        default: return field(number, 3) + unknown() + field(number, 4)
        }
    }

    /// A known field in a format that is perhaps not its own.
    private mutating func wrong(_ number: Int) -> [UInt8] {
        let format = [0, 1, 2, 5].randomElement(using: &random) ?? 0
        let payload =
            format == 0 ? varint(self.number()) : format == 2 ? delimited(noise()) : fixed(format == 1 ? 8 : 4)
        return field(number, format) + payload
    }

    func field(_ number: Int, _ format: Int) -> [UInt8] { varint(UInt64(number << 3 | format)) }

    func delimited(_ bytes: [UInt8]) -> [UInt8] { varint(UInt64(bytes.count)) + bytes }

    func varint(_ value: UInt64) -> [UInt8] {
        var (rest, bytes) = (value, [UInt8]())
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
