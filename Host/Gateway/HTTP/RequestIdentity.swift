// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Runtime

/// Makes request ids and trace contexts. Not for secrets. One per event loop, used on it only.
struct IdentitySource {
    private var state: UInt64

    init(seed: UInt64 = .random(in: 1...UInt64.max)) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// `req_` and a ULID.
    mutating func requestID(at milliseconds: Int64) -> String { id(prefix: "req_", at: milliseconds) }

    /// A ULID behind a prefix of four characters.
    mutating func id(prefix: StaticString, at milliseconds: Int64) -> String {
        let high = UInt64(truncatingIfNeeded: milliseconds) << 16 | (next() & 0xFFFF)
        let low = next()
        return String(unsafeUninitializedCapacity: 30) { out in
            prefix.withUTF8Buffer { _ = out.initialize(fromContentsOf: $0) }
            for index in 0..<26 {
                let shift = (25 - index) * 5
                let value: UInt64 =
                    if shift >= 64 {
                        high >> UInt64(shift - 64)
                    } else if shift > 59 {
                        (low >> UInt64(shift)) | (high << UInt64(64 - shift))
                    } else {
                        low >> UInt64(shift)
                    }
                out.initializeElement(at: 4 + index, to: Self.alphabet[Int(value & 31)])
            }
            return 30
        }
    }

    /// A new trace, never all zeros.
    mutating func trace() -> SpanIdentity {
        SpanIdentity(traceHigh: next() | 1, traceLow: next(), span: next() | 1)
    }

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// 1 to 128 characters of `A-Za-z0-9._:-`.
    static func isRequestID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }

    /// W3C trace context, version 00.
    static func isTraceparent(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count == 55, bytes[0] == 48, bytes[1] == 48 else { return false }
            var (trace, parent) = (false, false)
            for index in 2..<55 {
                let byte = bytes[index]
                if index == 2 || index == 35 || index == 52 {
                    guard byte == UInt8(ascii: "-") else { return false }
                    continue
                }
                guard (48...57).contains(byte) || (97...102).contains(byte) else { return false }
                if byte != 48 {
                    if index < 35 { trace = true } else if index < 52 { parent = true }
                }
            }
            return trace && parent
        }
    }
}

/// Milliseconds since 1970.
func wallMilliseconds() -> Int64 {
    Int64(Date().timeIntervalSince1970 * 1000)
}
