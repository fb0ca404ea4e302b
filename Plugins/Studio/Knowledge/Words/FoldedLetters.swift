// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Letters as they are compared: small, without accents, and full-width ones as narrow.
enum FoldedLetters {
    static func fold(_ scalar: Unicode.Scalar, into word: inout String.UnicodeScalarView) {
        switch scalar.value {
        case 0x41...0x5A: word.append(Unicode.Scalar(UInt8(scalar.value + 32)))
        case 0...0x7F: word.append(scalar)
        case 0xFF01...0xFF5E: fold(Unicode.Scalar(UInt8(scalar.value - 0xFF01 + 0x21)), into: &word)
        // Accents that stand by themselves behind their letter.
        case 0x300...0x36F: break
        case 0xDF: word.append(contentsOf: "ss".unicodeScalars)
        case 0xC6, 0xE6: word.append(contentsOf: "ae".unicodeScalars)
        case 0x152, 0x153: word.append(contentsOf: "oe".unicodeScalars)
        case 0xC0...0x17F: word.append(latin[Int(scalar.value - 0xC0)])
        default:
            for lower in scalar.properties.lowercaseMapping.unicodeScalars where !(0x300...0x36F).contains(lower.value)
            {
                word.append(lower)
            }
        }
    }

    /// From U+00C0 to U+017F.
    private static let latin = Array(
        """
        aaaaaaæceeeeiiiiðnooooo×ouuuuyþßaaaaaaæceeeeiiiiðnooooo÷ouuuuyþy\
        aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiĳĳjjkkkllllllllllnnnnnnnŋŋooooooœœrrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs
        """.unicodeScalars)
}
