// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What kind of writing a Unicode scalar belongs to, by ranges that never change with a library's tables.
enum Script {
    /// Whether it is a Han character.
    static func isHan(_ scalar: UInt32) -> Bool {
        (0x4E00...0x9FFF).contains(scalar) || (0x3400...0x4DBF).contains(scalar) || (0x20000...0x3134F).contains(scalar)
            || (0xF900...0xFAFF).contains(scalar) || scalar == 0x3007
    }

    /// Whether it is a letter of an alphabet: Latin with its accents, Greek, Cyrillic.
    static func isLetter(_ scalar: UInt32) -> Bool {
        (0x61...0x7A).contains(scalar) || (0x41...0x5A).contains(scalar)
            || ((0xC0...0x24F).contains(scalar) && scalar != 0xD7 && scalar != 0xF7)
            || (0x370...0x3FF).contains(scalar) || (0x400...0x52F).contains(scalar)
            || (0x1E00...0x1EFF).contains(scalar)
    }

    /// Whether it is an ASCII digit.
    static func isDigit(_ scalar: UInt32) -> Bool { (0x30...0x39).contains(scalar) }

    /// Whether it is an upper-case letter.
    static func isUpper(_ scalar: UInt32) -> Bool { isLetter(scalar) && lower(scalar) != scalar }

    /// The lower-case form where it is one scalar, else the scalar.
    static func lower(_ scalar: UInt32) -> UInt32 {
        if scalar < 0x80 { return (0x41...0x5A).contains(scalar) ? scalar + 32 : scalar }
        guard isLetter(scalar), let value = Unicode.Scalar(scalar) else { return scalar }
        let mapped = value.properties.lowercaseMapping.unicodeScalars
        guard let first = mapped.first, mapped.count == 1 else { return scalar }
        return first.value
    }

    /// Whether it is white space, a line break included.
    static func isSpace(_ scalar: UInt32) -> Bool {
        scalar == 0x20 || (0x09...0x0D).contains(scalar) || scalar == 0x3000 || scalar == 0xA0 || scalar == 0xFEFF
            || scalar == 0x85 || (0x2000...0x200B).contains(scalar) || scalar == 0x2028 || scalar == 0x2029
    }

    /// Whether a sentence may end with it.
    static func isTerminator(_ scalar: UInt32) -> Bool {
        scalar == 0x3002 || scalar == 0xFF01 || scalar == 0xFF1F || scalar == 0x21 || scalar == 0x3F
            || scalar == 0x2E || scalar == 0x2026
    }

    /// Whether it opens a quotation.
    static func isOpeningQuote(_ scalar: UInt32) -> Bool { scalar == 0x201C || scalar == 0x300C || scalar == 0x300E }

    /// Whether it closes a quotation.
    static func isClosingQuote(_ scalar: UInt32) -> Bool { scalar == 0x201D || scalar == 0x300D || scalar == 0x300F }

    /// Whether it closes something and stays with the sentence before it.
    static func isCloser(_ scalar: UInt32) -> Bool {
        isClosingQuote(scalar) || scalar == 0x2019 || scalar == 0x29 || scalar == 0xFF09 || scalar == 0x22
            || scalar == 0x27 || scalar == 0x5D || scalar == 0x300B || scalar == 0x2A
    }

    /// Whether it belongs to a word or is a Han character.
    static func isWord(_ scalar: UInt32) -> Bool { isHan(scalar) || isLetter(scalar) || isDigit(scalar) }
}

extension String {
    /// The values of the scalars.
    var scalarValues: [UInt32] { unicodeScalars.map(\.value) }

    /// Text from scalar values; what is no scalar is left out.
    init(scalarValues: some Sequence<UInt32>) {
        var view = String.UnicodeScalarView()
        for value in scalarValues { if let scalar = Unicode.Scalar(value) { view.append(scalar) } }
        self.init(view)
    }
}
