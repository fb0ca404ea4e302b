// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a character is to the one who cuts texts into words and chunks.
enum WrittenKind: Sendable, Hashable {
    /// Written without spaces between words: Han, kana, Hangul.
    case ideographic
    /// A letter, digit or mark of a script that puts spaces between words.
    case word
    case other

    init(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0...0x7F:
            self =
                ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                ? .word : .other
        case 0x3005, 0x3041...0x3096, 0x309D...0x309F, 0x30A1...0x30FA, 0x30FC...0x30FF, 0x31F0...0x31FF,
            0x1100...0x11FF, 0xAC00...0xD7A3:
            self = .ideographic
        default:
            let properties = scalar.properties
            if properties.isIdeographic {
                self = .ideographic
                return
            }
            switch properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
                .letterNumber, .otherNumber, .nonspacingMark, .spacingMark:
                self = .word
            default: self = .other
            }
        }
    }
}
