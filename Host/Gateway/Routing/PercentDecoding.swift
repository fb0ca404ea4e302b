// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Percent-decoding that refuses what could be read in two ways.
enum PercentDecoding {
    /// The decoded text, or nil for a broken escape, bytes that are not UTF-8, or a NUL.
    static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = false) -> String? {
        var plain = true
        for byte in bytes where byte == UInt8(ascii: "%") || byte == 0 || (plusIsSpace && byte == UInt8(ascii: "+")) {
            plain = false
            break
        }
        if plain { return String(validating: bytes, as: UTF8.self) }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index != bytes.endIndex {
            var byte = bytes[index]
            bytes.formIndex(after: &index)
            if byte == UInt8(ascii: "%") {
                guard index != bytes.endIndex, let high = hex(bytes[index]) else { return nil }
                bytes.formIndex(after: &index)
                guard index != bytes.endIndex, let low = hex(bytes[index]) else { return nil }
                bytes.formIndex(after: &index)
                byte = high << 4 | low
            } else if plusIsSpace, byte == UInt8(ascii: "+") {
                byte = UInt8(ascii: " ")
            }
            guard byte != 0 else { return nil }
            out.append(byte)
        }
        return String(validating: out, as: UTF8.self)
    }

    /// The pairs of a query string in order, or nil where one cannot be decoded.
    static func query(_ query: Substring.UTF8View) -> [RouteParameter]? {
        var pairs: [RouteParameter] = []
        for part in query.split(separator: UInt8(ascii: "&")) {
            let split = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            let value = split == part.endIndex ? part[split...] : part[part.index(after: split)...]
            guard let name = decode(part[..<split], plusIsSpace: true), let value = decode(value, plusIsSpace: true)
            else { return nil }
            pairs.append(RouteParameter(name: name, value: value))
        }
        return pairs
    }

    static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
