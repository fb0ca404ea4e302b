// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A character reference: `&amp;`, `&#8212;`, `&#x6C34;`.
enum HTMLReference {
    /// The reference that starts at `&`; nil where the sign stands for itself.
    static func read(_ source: [Unicode.Scalar], at place: Int) -> (scalars: [Unicode.Scalar], length: Int)? {
        let next = place + 1
        guard next < source.count else { return nil }
        return source[next] == "#" ? number(source, place) : name(source, place)
    }

    private static func number(_ source: [Unicode.Scalar], _ place: Int) -> (scalars: [Unicode.Scalar], length: Int)? {
        var index = place + 2
        var radix: UInt32 = 10
        if index < source.count, source[index] == "x" || source[index] == "X" {
            radix = 16
            index += 1
        }
        let first = index
        var value: UInt32 = 0
        while index < source.count, let digit = source[index].hexDigit, digit < radix {
            // Beyond the last scalar it only has to stay there.
            value = min(value * radix + digit, 0x11_0000)
            index += 1
        }
        guard index > first else { return nil }
        if index < source.count, source[index] == ";" { index += 1 }
        return ([scalar(of: value)], index - place)
    }

    /// What the standard has in the place of numbers that are no characters, or are those of Windows.
    private static func scalar(of value: UInt32) -> Unicode.Scalar {
        if (0x80...0x9F).contains(value) { return windows[Int(value - 0x80)] }
        guard value != 0, let scalar = Unicode.Scalar(value) else { return "\u{FFFD}" }
        return scalar
    }

    /// Windows-1252 from 80 to 9F; what it leaves free stands for itself.
    private static let windows: [Unicode.Scalar] =
        Array(
            "\u{20AC}\u{81}\u{201A}\u{192}\u{201E}\u{2026}\u{2020}\u{2021}\u{2C6}\u{2030}\u{160}\u{2039}\u{152}\u{8D}\u{17D}\u{8F}"
                .unicodeScalars)
        + Array(
            "\u{90}\u{2018}\u{2019}\u{201C}\u{201D}\u{2022}\u{2013}\u{2014}\u{2DC}\u{2122}\u{161}\u{203A}\u{153}\u{9D}\u{17E}\u{178}"
                .unicodeScalars)

    /// By the longest name; without its semicolon only where it has always been taken so.
    private static func name(_ source: [Unicode.Scalar], _ place: Int) -> (scalars: [Unicode.Scalar], length: Int)? {
        var letters = String.UnicodeScalarView()
        var index = place + 1
        while index < source.count, letters.count < 32, source[index].isASCIIAlphanumeric {
            letters.append(source[index])
            index += 1
        }
        let word = String(letters)
        if index < source.count, source[index] == ";", let scalar = HTMLNames.scalars[word] {
            return ([scalar], index + 1 - place)
        }
        // `&copy2024` is ©2024; `&copying` stays as it is written only in attributes, which nobody reads here.
        for length in stride(from: min(6, letters.count), through: 2, by: -1) {
            let start = String(String.UnicodeScalarView(letters.prefix(length)))
            guard let scalar = HTMLNames.scalars[start], HTMLNames.isOld(start, scalar) else { continue }
            return ([scalar], 1 + length)
        }
        return nil
    }
}

extension Unicode.Scalar {
    fileprivate var hexDigit: UInt32? {
        switch self {
        case "0"..."9": value - 48
        case "a"..."f": value - 87
        case "A"..."F": value - 55
        default: nil
        }
    }

    fileprivate var isASCIIAlphanumeric: Bool {
        ("0"..."9").contains(self) || ("a"..."z").contains(self) || ("A"..."Z").contains(self)
    }
}
