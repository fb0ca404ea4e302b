// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Codes by time, RFC 6238: HMAC-SHA-1, six digits, thirty seconds.
enum TOTP {
    static let period: Int64 = 30

    /// The code of a counter, RFC 4226 section 5.3.
    static func code(_ secret: [UInt8], _ counter: Int64, digits: Int = 6) -> String {
        let message = (0..<8).map { UInt8(truncatingIfNeeded: counter >> (56 - 8 * $0)) }
        let mac = hmac(secret, message)
        let offset = Int(mac[19] & 15)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let modulus = (0..<digits).reduce(UInt32(1)) { power, _ in power * 10 }
        let text = String(number % modulus)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    /// The counter a code is of: that of now, or the one before or after. None that was accepted before, nor an older one.
    ///
    /// - Parameters:
    ///   - seconds: since 1970.
    ///   - last: accepted last; -1 for none.
    static func accepts(_ code: String, _ secret: [UInt8], at seconds: Int64, after last: Int64) -> Int64? {
        let now = seconds / period
        // All three are always made, so that the time tells nothing of which.
        let fitting = (now - 1...now + 1).filter { counter in
            Digest.equal(Array(Self.code(secret, max(0, counter)).utf8), Array(code.utf8)) && counter > last
        }
        return fitting.first
    }

    /// HMAC-SHA-1, RFC 2104.
    static func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var block = key.count > 64 ? Digest.sha1(key) : key
        block += [UInt8](repeating: 0, count: 64 - block.count)
        return Digest.sha1(block.map { $0 ^ 0x5C } + Digest.sha1(block.map { $0 ^ 0x36 } + message))
    }
}

/// Base32 without padding, RFC 4648 section 6.
enum Base32 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")

    static func encode(_ bytes: [UInt8]) -> String {
        var text = ""
        var (buffer, bits) = (UInt32(0), 0)
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(digits[Int(buffer >> UInt32(bits)) & 31])
            }
            buffer &= (1 << UInt32(bits)) - 1
        }
        if bits > 0 { text.append(digits[Int(buffer << UInt32(5 - bits)) & 31]) }
        return text
    }
}
