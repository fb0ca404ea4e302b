// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Tells whether a text is JSON (RFC 8259), without building anything.
public enum JSONText {
    /// What a JSON text's value is.
    public enum Kind: Sendable, Hashable {
        case object, array, string, number, literal
    }

    /// The kind of the one value that `text` is; nil where it is no JSON or is nested deeper than 500.
    public static func kind(of text: String) -> Kind? {
        var text = text
        return text.withUTF8 { bytes in
            var scanner = JSONScanner(bytes: bytes)
            return scanner.document()
        }
    }
}

private struct JSONScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func document() -> JSONText.Kind? {
        skipSpace()
        guard let kind = value(depth: 0) else { return nil }
        skipSpace()
        return next == nil ? kind : nil
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) -> JSONText.Kind? {
        guard depth < 500, let byte = next else { return nil }
        switch byte {
        case UInt8(ascii: "{"): return object(depth: depth) ? .object : nil
        case UInt8(ascii: "["): return array(depth: depth) ? .array : nil
        case UInt8(ascii: "\""): return string() ? .string : nil
        case UInt8(ascii: "t"): return word("true") ? .literal : nil
        case UInt8(ascii: "f"): return word("false") ? .literal : nil
        case UInt8(ascii: "n"): return word("null") ? .literal : nil
        default: return number() ? .number : nil
        }
    }

    private mutating func object(depth: Int) -> Bool {
        position += 1
        skipSpace()
        if take(UInt8(ascii: "}")) { return true }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\""), string() else { return false }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { return false }
            skipSpace()
            guard value(depth: depth + 1) != nil else { return false }
            skipSpace()
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}"))
    }

    private mutating func array(depth: Int) -> Bool {
        position += 1
        skipSpace()
        if take(UInt8(ascii: "]")) { return true }
        repeat {
            skipSpace()
            guard value(depth: depth + 1) != nil else { return false }
            skipSpace()
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]"))
    }

    private mutating func string() -> Bool {
        position += 1
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"):
                guard let escape = next else { return false }
                position += 1
                if escape == UInt8(ascii: "u") {
                    for _ in 0..<4 {
                        guard let digit = next, Self.isHex(digit) else { return false }
                        position += 1
                    }
                } else if !"\"\\/bfnrt".utf8.contains(escape) {
                    return false
                }
            case 0..<0x20: return false
            default: continue
            }
        }
        return false
    }

    private mutating func word(_ expected: StaticString) -> Bool {
        expected.withUTF8Buffer { expected in
            guard position + expected.count <= bytes.count,
                (0..<expected.count).allSatisfy({ bytes[position + $0] == expected[$0] })
            else { return false }
            position += expected.count
            return true
        }
    }

    private mutating func number() -> Bool {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")), digits() == 0 { return false }
        if take(UInt8(ascii: ".")), digits() == 0 { return false }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            if digits() == 0 { return false }
        }
        return true
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(asciiLowercase(byte))
    }
}
