// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// An e-mail address as accounts are kept by: trimmed, lower-case, of plausible form.
struct EmailAddress: Sendable, Hashable {
    let text: String

    /// What stands before the @.
    var local: Substring { text.prefix { $0 != "@" } }

    /// Nil for what is no address.
    init?(_ raw: String) {
        guard raw.utf8.count <= 1024 else { return nil }
        let trimmed = raw.drop(while: \.isWhitespace)
        guard let last = trimmed.lastIndex(where: { !$0.isWhitespace }) else { return nil }
        guard trimmed[...last].unicodeScalars.allSatisfy(Self.isTaken) else { return nil }
        let address = trimmed[...last].lowercased()
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard address.utf8.count <= 254, parts.count == 2, !parts[0].isEmpty, parts[1].contains("."),
            !parts[1].hasPrefix("."), !parts[1].hasSuffix(".")
        else { return nil }
        text = address
    }

    /// Printable ASCII and Chinese characters. Letters of other scripts look like these, and accents, widths and marks have
    /// several spellings: by any of them an address would pass for another one.
    private static func isTaken(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            ? (0x21...0x7E).contains(scalar.value) && !"<>()[],;:\\\"".unicodeScalars.contains(scalar)
            : scalar.properties.isUnifiedIdeograph
    }
}
