// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Reads JSON bytes strictly (RFC 8259, UTF-8 checked) without building values.
///
/// The bytes outlive the cursor: it lives inside one `withUnsafeBufferPointer`. Every read goes through `peek`, which
/// answers 0, never valid outside a string, past the end.
struct JSONCursor {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    @inline(__always) func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    /// The next byte after white space.
    @inline(__always) mutating func peek() -> UInt8 {
        while true {
            let next = byte(position)
            guard next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 else { return next }
            position += 1
        }
    }

    @inline(__always) mutating func skip() { position += 1 }

    func slice(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: bytes[range]) }

    func syntax(_ expected: String) -> TranscodingError {
        let found = position < bytes.count ? "not JSON at byte \(position)" : "cut off at byte \(position)"
        return TranscodingError("json.syntax", "\(expected) is expected there", found: found)
    }

    mutating func expect(_ wanted: UInt8, _ name: StaticString) throws(TranscodingError) {
        guard peek() == wanted else { throw syntax("\(name)") }
        position += 1
    }

    /// Fails unless only white space is left.
    mutating func end() throws(TranscodingError) {
        _ = peek()
        guard position == bytes.count else { throw syntax("the end") }
    }

    /// Skips `literal` if it is next.
    mutating func take(_ literal: StaticString) -> Bool {
        _ = peek()
        let count = literal.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        for index in 0..<count where bytes[position + index] != literal.utf8Start[index] { return false }
        position += count
        return true
    }

    /// The bytes between the quotes of the next string, and whether they hold escapes. Checks escapes and UTF-8.
    mutating func string() throws(TranscodingError) -> (range: Range<Int>, hasEscapes: Bool) {
        guard peek() == UInt8(ascii: "\"") else { throw syntax("a string") }
        position += 1
        let start = position
        var hasEscapes = false
        while true {
            let next = byte(position)
            switch next {
            case UInt8(ascii: "\""):
                position += 1
                return (start..<position - 1, hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try escape()
            case 0x20..<0x80: position += 1
            case 0..<0x20: throw syntax("a character or a quote")
            default:
                let length = UTF8Scalar.length(bytes, at: position)
                guard length > 0 else { throw syntax("UTF-8") }
                position += length
            }
        }
    }

    private mutating func escape() throws(TranscodingError) {
        switch byte(position + 1) {
        case UInt8(ascii: "u"):
            guard let unit = hex(position + 2) else { throw syntax("an escape") }
            position += 6
            guard unit & 0xF800 == 0xD800 else { return }
            guard unit < 0xDC00, byte(position) == UInt8(ascii: "\\"), byte(position + 1) == UInt8(ascii: "u"),
                let low = hex(position + 2), low & 0xFC00 == 0xDC00
            else { throw syntax("the second half of a surrogate pair") }
            position += 6
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        default: throw syntax("an escape")
        }
    }

    private func hex(_ start: Int) -> UInt32? {
        var value: UInt32 = 0
        for index in start..<start + 4 {
            switch byte(index) {
            case let digit where digit >= 0x30 && digit <= 0x39: value = value << 4 | UInt32(digit - 0x30)
            case let digit where digit | 0x20 >= 0x61 && digit | 0x20 <= 0x66:
                value = value << 4 | UInt32((digit | 0x20) - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }

    /// Appends the text of a string that `string()` checked.
    func unescape(_ range: Range<Int>, into output: inout [UInt8]) {
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                output.append(bytes[index])
                index += 1
                continue
            }
            switch byte(index + 1) {
            case UInt8(ascii: "u"):
                var scalar = hex(index + 2) ?? 0xFFFD
                index += 4
                if scalar & 0xFC00 == 0xD800, let low = hex(index + 4) {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
                    index += 6
                }
                output.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
            case UInt8(ascii: "b"): output.append(8)
            case UInt8(ascii: "f"): output.append(12)
            case UInt8(ascii: "n"): output.append(10)
            case UInt8(ascii: "r"): output.append(13)
            case UInt8(ascii: "t"): output.append(9)
            case let other: output.append(other)
            }
            index += 2
        }
    }

    /// The text of the string in that range.
    func text(_ range: Range<Int>, _ hasEscapes: Bool) -> String {
        guard hasEscapes else { return String(decoding: slice(range), as: UTF8.self) }
        var output: [UInt8] = []
        unescape(range, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// The bytes of the next number, and whether it is written as an integer.
    mutating func number() throws(TranscodingError) -> (range: Range<Int>, isInteger: Bool) {
        _ = peek()
        let start = position
        if byte(position) == UInt8(ascii: "-") { position += 1 }
        if byte(position) == UInt8(ascii: "0") {
            position += 1
            guard byte(position) &- 0x30 >= 10 else { throw syntax("no digit after a leading zero") }
        } else {
            try digits()
        }
        var isInteger = true
        if byte(position) == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits()
        }
        if byte(position) | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if byte(position) == UInt8(ascii: "+") || byte(position) == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return (start..<position, isInteger)
    }

    private mutating func digits() throws(TranscodingError) {
        let start = position
        while byte(position) &- 0x30 < 10 { position += 1 }
        guard position > start else { throw syntax("a digit") }
    }

    /// Skips any value, checked, and answers where it was.
    mutating func value(depth: Int) throws(TranscodingError) -> Range<Int> {
        guard depth > 0 else { throw Self.tooDeep }
        let first = peek()
        let start = position
        switch first {
        case UInt8(ascii: "{"):
            position += 1
            if peek() == UInt8(ascii: "}") { position += 1 } else { try members(depth) }
        case UInt8(ascii: "["):
            position += 1
            if peek() == UInt8(ascii: "]") { position += 1 } else { try elements(depth) }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "-"), 0x30...0x39: _ = try number()
        default: guard take("true") || take("false") || take("null") else { throw syntax("a value") }
        }
        return start..<position
    }

    private mutating func members(_ depth: Int) throws(TranscodingError) {
        while true {
            _ = try string()
            try expect(UInt8(ascii: ":"), "a colon")
            _ = try value(depth: depth - 1)
            guard peek() == UInt8(ascii: ",") else {
                return try expect(UInt8(ascii: "}"), "a comma or a closing brace")
            }
            position += 1
        }
    }

    private mutating func elements(_ depth: Int) throws(TranscodingError) {
        while true {
            _ = try value(depth: depth - 1)
            guard peek() == UInt8(ascii: ",") else {
                return try expect(UInt8(ascii: "]"), "a comma or a closing bracket")
            }
            position += 1
        }
    }

    static var tooDeep: TranscodingError {
        TranscodingError("json.depth", "at most \(depthLimit) levels are allowed", found: "nested too deep")
    }
}

/// Levels of objects and arrays, both ways.
let depthLimit = 32
