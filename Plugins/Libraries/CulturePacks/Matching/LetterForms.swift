// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Forms of letters that readers take for the same, by the code charts of Unicode.
enum LetterForms {
    /// The plain form of letters that have one, in small letters.
    static let plain: [UInt32: UInt32] = {
        var table: [UInt32: UInt32] = [:]
        for (letter, forms) in latin + arabic {
            for form in forms.unicodeScalars { table[form.value] = letter.value }
        }
        // Letters that the presentation forms stand for, each with as many forms as it joins in.
        var form: UInt32 = 0xFE80
        for (letter, count) in presentation {
            for _ in 0..<count {
                table[form] = letter.value
                form += 1
            }
        }
        for offset in 0..<UInt32(94) {
            // Full-width forms, in small letters.
            let plain = 0x21 + offset
            table[0xFF01 + offset] = (0x41...0x5A).contains(plain) ? plain + 32 : plain
        }
        for digit in 0..<UInt32(10) {
            table[0x660 + digit] = 0x30 + digit
            table[0x6F0 + digit] = 0x30 + digit
        }
        return table
    }()

    /// Whether a scalar is passed over: marks, and signs that only guide joining or direction.
    static func isPassedOver(_ scalar: UInt32) -> Bool {
        if isMark(scalar) { return true }
        return switch scalar {
        case 0xAD, 0x2BE, 0x2BF, 0x61C, 0x200C...0x200F, 0x202A...0x202E, 0x2060...0x2064, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    /// Whether a scalar sits on the letter before it.
    static func isMark(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x300...0x36F, 0x483...0x489, 0x591...0x5BD, 0x610...0x61A, 0x640, 0x64B...0x65F, 0x670, 0x6D6...0x6DC,
            0x6DF...0x6E4, 0x6E7...0x6E8, 0x6EA...0x6ED, 0x8CA...0x8FF, 0x1AB0...0x1AFF, 0x20D0...0x20FF,
            0xFE00...0xFE0F, 0xFE20...0xFE2F, 0xE0100...0xE01EF:
            true
        default: false
        }
    }

    /// Whether a key belongs to a script that parts words by spaces.
    static func isOfWord(_ key: UInt32) -> Bool {
        switch key {
        case 0x30...0x39, 0x61...0x7A, 0xAA, 0xB5, 0xBA, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2AF, 0x370...0x373,
            0x376...0x377, 0x37B...0x37D, 0x37F, 0x386, 0x388...0x52F, 0x531...0x556, 0x561...0x587, 0x5D0...0x5EA,
            0x904...0x939, 0x985...0xDFF, 0x10A0...0x10FF, 0x1200...0x137F, 0x1E00...0x1FFF:
            true
        default: isArabic(key)
        }
    }

    /// Whether a key is a letter of Arabic, or of a language written with its letters.
    static func isArabic(_ key: UInt32) -> Bool {
        switch key {
        case 0x620...0x63F, 0x641...0x64A, 0x66E...0x66F, 0x671...0x6D3, 0x6FA...0x6FF, 0x750...0x77F: true
        default: false
        }
    }

    private static let latin: [(Unicode.Scalar, String)] = [
        ("a", "ÀÁÂÃÄÅàáâãäåĀāĂăĄąǍǎẠạẢả"), ("c", "ÇçĆćĈĉĊċČč"), ("d", "ĎďĐđḌḍḎḏ"), ("e", "ÈÉÊËèéêëĒēĔĕĖėĘęĚěẸẹ"),
        ("g", "ĜĝĞğĠġĢģǦǧḠḡ"), ("h", "ĤĥĦħḤḥḪḫ"), ("i", "ÌÍÎÏìíîïĨĩĪīĬĭĮįİıǏǐ"), ("j", "Ĵĵǰ"), ("k", "ĶķḲḳḴḵǨǩ"),
        ("l", "ĹĺĻļĽľŁł"), ("n", "ÑñŃńŅņŇňṆṇ"), ("o", "ÒÓÔÕÖØòóôõöøŌōŎŏŐőǑǒ"), ("r", "ŔŕŖŗŘřṚṛ"),
        ("s", "ŚśŜŝŞşŠšṢṣ"), ("t", "ŢţŤťŦŧṬṭṮṯ"), ("u", "ÙÚÛÜùúûüŨũŪūŬŭŮůŰűŲųǓǔ"), ("w", "Ŵŵ"), ("y", "ÝýÿŶŷŸȲȳ"),
        ("z", "ŹźŻżŽžẒẓẔẕ"),
    ]

    private static let arabic: [(Unicode.Scalar, String)] = [
        ("\u{627}", "\u{622}\u{623}\u{625}\u{671}\u{672}\u{673}"), ("\u{648}", "\u{624}"),
        ("\u{64A}", "\u{626}\u{649}\u{6CC}"), ("\u{647}", "\u{629}\u{6C1}\u{6C2}\u{6C3}\u{6D5}"),
        ("\u{643}", "\u{6A9}\u{6AA}"),
    ]

    /// U+FE80 to U+FEF4: isolated, final, initial and medial forms, as many as each letter has.
    private static let presentation: [(Unicode.Scalar, Int)] = [
        ("\u{621}", 1), ("\u{627}", 2), ("\u{627}", 2), ("\u{648}", 2), ("\u{627}", 2), ("\u{64A}", 4), ("\u{627}", 2),
        ("\u{628}", 4), ("\u{647}", 2), ("\u{62A}", 4), ("\u{62B}", 4), ("\u{62C}", 4), ("\u{62D}", 4), ("\u{62E}", 4),
        ("\u{62F}", 2), ("\u{630}", 2), ("\u{631}", 2), ("\u{632}", 2), ("\u{633}", 4), ("\u{634}", 4), ("\u{635}", 4),
        ("\u{636}", 4), ("\u{637}", 4), ("\u{638}", 4), ("\u{639}", 4), ("\u{63A}", 4), ("\u{641}", 4), ("\u{642}", 4),
        ("\u{643}", 4), ("\u{644}", 4), ("\u{645}", 4), ("\u{646}", 4), ("\u{647}", 4), ("\u{648}", 2), ("\u{64A}", 2),
        ("\u{64A}", 4),
    ]
}
