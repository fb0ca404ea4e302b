// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A message as a chat shows it: a title, an empty line, a body, cut to what the Bot API takes.
struct MessageText: Sendable, Hashable {
    let title: String
    let body: String

    /// Longest visible text, in UTF-16 units.
    static let longest = 4096

    init(title: String, body: String) {
        self.title = Self.cut(title, to: Self.longest)
        let gap = title.isEmpty || body.isEmpty ? 0 : 2
        let room = Self.longest - self.title.utf16.count - gap
        self.body = room > 0 ? Self.cut(body, to: room) : ""
    }

    /// Without marks.
    var plain: String { joined(title, body) }

    /// With a bold title.
    var markdownV2: String { joined(title.isEmpty ? "" : "*\(Self.escaped(title))*", Self.escaped(body)) }

    private func joined(_ title: String, _ body: String) -> String {
        title.isEmpty || body.isEmpty ? title + body : "\(title)\n\n\(body)"
    }

    /// At most so many UTF-16 units; a text that is longer ends in an ellipsis, and no scalar is halved.
    static func cut(_ text: String, to most: Int) -> String {
        guard text.utf16.count > most else { return text }
        var kept = String.UnicodeScalarView()
        var length = 1
        for scalar in text.unicodeScalars {
            length += UTF16.width(scalar)
            if length > most { break }
            kept.append(scalar)
        }
        return String(kept) + "…"
    }

    /// Every character with a meaning in MarkdownV2, and the backslash, after a backslash.
    static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if special.contains(scalar) { result.append("\\") }
            result.append(scalar)
        }
        return String(result)
    }

    private static let special = Set("_*[]()~`>#+-=|{}.!\\".unicodeScalars)
}
