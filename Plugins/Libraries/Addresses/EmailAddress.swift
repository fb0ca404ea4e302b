// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// An e-mail address as identities are kept by: trimmed, lower-case, of plausible form.
public struct EmailAddress: Sendable, Hashable {
    /// `name@example.org`.
    public let text: String
    /// What stands before the @.
    public var local: Substring { text.prefix { $0 != "@" } }
    /// What stands behind the @.
    public var domain: String { String(text.drop { $0 != "@" }.dropFirst()) }

    /// Nil for what is no address. Whether it exists only a message to it can tell.
    public init?(_ raw: String) {
        guard raw.utf8.count <= 1024 else { return nil }
        let trimmed = raw.drop(while: \.isWhitespace)
        guard let last = trimmed.lastIndex(where: { !$0.isWhitespace }) else { return nil }
        guard trimmed[...last].unicodeScalars.allSatisfy(Self.isTaken) else { return nil }
        let address = trimmed[...last].lowercased()
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard address.utf8.count <= 254, parts.count == 2, (1...64).contains(parts[0].utf8.count) else { return nil }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy({ Self.isLabel($0) }) else { return nil }
        text = address
    }

    /// Printable ASCII and Chinese characters. Letters of other scripts look like these, and accents, widths and marks have
    /// several spellings: by any of them an address would pass for another one.
    private static func isTaken(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            ? (0x21...0x7E).contains(scalar.value) && !"<>()[],;:\\\"".unicodeScalars.contains(scalar)
            : scalar.properties.isUnifiedIdeograph
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
    }
}
