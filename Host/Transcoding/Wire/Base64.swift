// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Base64 of RFC 4648 section 4, with padding.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: UnsafeBufferPointer<UInt8>, into output: inout [UInt8]) {
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            var word: UInt32 = 0
            for offset in 0..<3 { word = word << 8 | (offset < count ? UInt32(bytes[index + offset]) : 0) }
            for sextet in 0..<4 {
                output.append(sextet <= count ? alphabet[Int(word >> UInt32(18 - 6 * sextet)) & 63] : UInt8(ascii: "="))
            }
            index += count
        }
    }

    /// Appends what the text stands for; false where it is not base64 as this writes it.
    static func decode(_ text: UnsafeBufferPointer<UInt8>, into output: inout [UInt8]) -> Bool {
        guard text.count.isMultiple(of: 4) else { return false }
        var index = 0
        while index < text.count {
            var word: UInt32 = 0
            var padding = 0
            for offset in 0..<4 {
                let byte = text[index + offset]
                if byte == UInt8(ascii: "="), offset >= 2, index + 4 == text.count {
                    padding += 1
                    word <<= 6
                } else if padding == 0, let value = sextet(byte) {
                    word = word << 6 | value
                } else {
                    return false
                }
            }
            // Bits that padding makes meaningless must be zero, or one value would have two spellings.
            guard word & ((1 << UInt32(8 * padding)) - 1) == 0 else { return false }
            for offset in 0..<3 - padding { output.append(UInt8(truncatingIfNeeded: word >> UInt32(16 - 8 * offset))) }
            index += 4
        }
        return true
    }

    private static func sextet(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
