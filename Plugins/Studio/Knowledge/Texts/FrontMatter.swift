// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What writers' tools put before a Markdown text, between two lines of three hyphens: of it the title is read.
struct FrontMatter: Sendable, Hashable {
    /// Of the text, where it is said.
    let title: String?
    /// Where the text starts, in Unicode scalars.
    let end: Int

    /// Nil where a text begins with none, or with one that does not end.
    init?(_ source: String) {
        var title: String?
        var isOpen = false
        for line in TextLines(text: source) {
            let words = String(Substring(line.text))
            if line.start == 0 {
                guard words == "---" else { return nil }
                isOpen = true
            } else if words == "---" || words == "..." {
                self.title = title
                end = line.start + line.text.count
                return
            } else if isOpen, title == nil, words.hasPrefix("title:") {
                title = Self.plain(words.dropFirst("title:".count))
            }
        }
        return nil
    }

    /// Without the quotation marks around it; nil where nothing is left.
    private static func plain(_ words: Substring) -> String? {
        var words = words.drop(while: \.isWhitespace)
        while words.last?.isWhitespace == true { words.removeLast() }
        if words.count >= 2, let mark = words.first, mark == "\"" || mark == "'", words.last == mark {
            words = words.dropFirst().dropLast()
        }
        return words.isEmpty ? nil : String(words)
    }
}
