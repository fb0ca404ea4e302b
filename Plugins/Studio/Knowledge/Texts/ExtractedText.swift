// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The text of a source, and where its headings stand.
struct ExtractedText: Sendable, Hashable {
    /// A heading. What follows belongs to it until the next one of its level or above.
    struct Heading: Sendable, Hashable, Codable {
        /// 1 is the outermost.
        var level: Int
        /// In one line, at most 200 characters.
        var title: String
        /// Where it starts in the text, in Unicode scalars.
        var start: Int

        init(level: Int, title: String, start: Int) {
            self.level = level
            self.title = Self.line(title)
            self.start = start
        }

        private static func line(_ title: String) -> String {
            let words = title.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return String(String.UnicodeScalarView(words.unicodeScalars.prefix(200)))
        }
    }

    /// What chunks are cut from and offsets count in.
    var text: String
    /// What the source calls itself; empty where it does not say.
    var title = ""
    /// In the order of the text.
    var headings: [Heading] = []
}
