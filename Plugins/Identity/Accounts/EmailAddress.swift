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
        let address = trimmed[...last].lowercased()
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard address.utf8.count <= 254, parts.count == 2, !parts[0].isEmpty, parts[1].contains("."),
            !address.contains(where: \.isWhitespace)
        else { return nil }
        text = address
    }
}
