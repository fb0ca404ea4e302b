// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Language tags of BCP 47, as far as their form goes.
public enum LanguageTag {
    /// Whether a text has the form of a tag, such as `en`, `zh-Hant` or `de-CH-1996`: at most 35 bytes, subtags of 1 to 8
    /// letters or digits, the first of at least 2. Whether such a language exists is not looked up. Any thread.
    public static func isWellFormed(_ text: String) -> Bool {
        let subtags = text.split(separator: "-", omittingEmptySubsequences: false)
        return text.utf8.count <= 35 && (2...8).contains(subtags[0].utf8.count)
            && subtags.allSatisfy { subtag in (1...8).contains(subtag.utf8.count) && subtag.utf8.allSatisfy(isPart) }
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
