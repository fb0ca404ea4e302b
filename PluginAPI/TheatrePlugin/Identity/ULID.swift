// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Ids that sort by time: 48 bits of milliseconds and 80 random bits, in Crockford's base 32.
///
/// Within one millisecond, and where the clock steps back, ids go on from the last: they grow strictly within a process.
public struct ULID: Sendable, Hashable, Comparable {
    private let high: UInt64
    private let low: UInt64

    private static let last = Mutex(ULID(high: 0, low: 0))
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The next id for a time in milliseconds since 1970. Safe on any thread.
    public static func next(at milliseconds: Int64) -> ULID {
        let time = UInt64(clamping: milliseconds) & 0xFFFF_FFFF_FFFF
        return last.withLock { last in
            last = time > last.milliseconds ? fresh(time) : last.successor
            return last
        }
    }

    /// The next id with a type's prefix: `ULID.next(prefix: "ord", at: host.now)` is `ord_01J…`.
    public static func next(prefix: String, at milliseconds: Int64) -> String {
        "\(prefix)_\(next(at: milliseconds))"
    }

    /// Its time, in milliseconds since 1970.
    public var milliseconds: UInt64 { high >> 16 }

    /// By time, then by order of making.
    public static func < (a: ULID, b: ULID) -> Bool { a.high != b.high ? a.high < b.high : a.low < b.low }

    private static func fresh(_ time: UInt64) -> ULID {
        var generator = SystemRandomNumberGenerator()
        // The random part starts in the lower half, so that counting on within the millisecond cannot run over.
        let random = UInt64.random(in: 0...0x7FFF, using: &generator)
        return ULID(high: time << 16 | random, low: .random(in: 0 ... .max, using: &generator))
    }

    private var successor: ULID {
        let (next, overflow) = low.addingReportingOverflow(1)
        return ULID(high: overflow ? high + 1 : high, low: next)
    }
}

extension ULID: CustomStringConvertible, LosslessStringConvertible {
    /// 26 characters, upper case.
    public var description: String {
        String(unsafeUninitializedCapacity: 26) { buffer in
            for index in 0..<26 { buffer[index] = Self.alphabet[digit(25 - index)] }
            return 26
        }
    }

    /// Reads 26 characters of either case; nil where they are not a ULID.
    public init?(_ text: String) {
        let digits = text.uppercased().utf8.compactMap { Self.alphabet.firstIndex(of: $0) }
        guard digits.count == 26, text.utf8.count == 26, digits[0] < 8 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for digit in digits {
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(digit)
        }
        self.init(high: high, low: low)
    }

    /// The base-32 digit at a place, 0 being the last.
    private func digit(_ place: Int) -> Int {
        let shift = UInt64(place * 5)
        let bits = shift >= 64 ? high >> (shift - 64) : shift == 0 ? low : low >> shift | high << (64 - shift)
        return Int(bits & 31)
    }
}
