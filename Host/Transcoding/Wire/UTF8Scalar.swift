// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// UTF-8, strictly: no overlong forms, no surrogates, at most U+10FFFF.
enum UTF8Scalar {
    /// Bytes of the scalar at `index`, or 0 where there is none.
    @inline(__always) static func length(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
        func tail(_ offset: Int, _ low: UInt8 = 0x80, _ high: UInt8 = 0xBF) -> Bool {
            guard index + offset < bytes.count else { return false }
            let byte = bytes[index + offset]
            return byte >= low && byte <= high
        }
        switch bytes[index] {
        case 0..<0x80: return 1
        case 0xC2...0xDF: return tail(1) ? 2 : 0
        case 0xE0: return tail(1, 0xA0) && tail(2) ? 3 : 0
        case 0xED: return tail(1, 0x80, 0x9F) && tail(2) ? 3 : 0
        case 0xE1...0xEF: return tail(1) && tail(2) ? 3 : 0
        case 0xF0: return tail(1, 0x90) && tail(2) && tail(3) ? 4 : 0
        case 0xF4: return tail(1, 0x80, 0x8F) && tail(2) && tail(3) ? 4 : 0
        case 0xF1...0xF3: return tail(1) && tail(2) && tail(3) ? 4 : 0
        default: return 0
        }
    }
}
