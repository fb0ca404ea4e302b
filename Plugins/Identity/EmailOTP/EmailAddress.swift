// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// An e-mail address as identities are kept by: trimmed, lower-case, of plausible form.
struct EmailAddress: Sendable, Hashable {
    let text: String
    /// What stands behind the @.
    var domain: String { String(text.drop { $0 != "@" }.dropFirst()) }

    /// Nil for what is no address. Whether it exists only a message to it can tell.
    init?(_ raw: String) {
        guard raw.utf8.count <= 1024 else { return nil }
        let trimmed = raw.drop(while: \.isWhitespace)
        guard let last = trimmed.lastIndex(where: { !$0.isWhitespace }) else { return nil }
        let address = trimmed[...last].lowercased()
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard address.utf8.count <= 254, parts.count == 2, (1...64).contains(parts[0].utf8.count) else { return nil }
        let isPrintable = address.unicodeScalars.allSatisfy { scalar in
            !scalar.properties.isWhitespace && scalar.properties.generalCategory != .control
                && scalar.properties.generalCategory != .format && !"<>()[],;:\\\"".unicodeScalars.contains(scalar)
        }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        guard isPrintable, labels.count >= 2, labels.allSatisfy({ Self.isLabel($0) }) else { return nil }
        text = address
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
    }
}
