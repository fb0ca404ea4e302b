// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Markdown: kept as it is written, so that offsets are those of the source; its headings, of both forms, are found as
/// CommonMark has them. What stands in fences is no heading; a title in what stands before the text is the first one.
enum Markdown {
    static func extract(_ source: String) -> ExtractedText {
        var document = ExtractedText(text: source)
        let front = FrontMatter(source)
        if let title = front?.title { document.headings.append(.init(level: 1, title: title, start: 0)) }
        var fence: (mark: Unicode.Scalar, length: Int)?
        var previous: TextLines.Line?
        for line in TextLines(text: source) where line.start >= front?.end ?? 0 {
            let indent = line.text.prefix { $0 == " " }.count
            let words = line.text.dropFirst(indent)
            if let open = fence {
                if indent < 4, isClosing(words, open) { fence = nil }
                previous = nil
                continue
            }
            guard indent < 4 else {
                previous = nil
                continue
            }
            if let opened = opening(words) {
                fence = opened
                previous = nil
            } else if let heading = atx(words) {
                document.headings.append(.init(level: heading.level, title: heading.title, start: line.start))
                previous = nil
            } else if let above = previous, let level = underline(words) {
                document.headings.append(
                    .init(level: level, title: String(Substring(above.text)), start: above.start))
                previous = nil
            } else {
                previous = isParagraph(words) ? line : nil
            }
        }
        document.title = document.headings.first { $0.level == 1 }?.title ?? ""
        return document
    }

    private typealias Words = Substring.UnicodeScalarView

    private static func opening(_ words: Words) -> (mark: Unicode.Scalar, length: Int)? {
        guard let mark = words.first, mark == "`" || mark == "~" else { return nil }
        let length = words.prefix { $0 == mark }.count
        // A line with a backquote behind the first ones is code in a sentence.
        guard length >= 3, mark == "~" || !words.dropFirst(length).contains("`") else { return nil }
        return (mark, length)
    }

    private static func isClosing(_ words: Words, _ fence: (mark: Unicode.Scalar, length: Int)) -> Bool {
        let length = words.prefix { $0 == fence.mark }.count
        return length >= fence.length && words.dropFirst(length).allSatisfy { $0 == " " || $0 == "\t" }
    }

    private static func atx(_ words: Words) -> (level: Int, title: String)? {
        let level = words.prefix { $0 == "#" }.count
        guard (1...6).contains(level) else { return nil }
        var rest = words.dropFirst(level)
        guard rest.isEmpty || rest.first == " " || rest.first == "\t" else { return nil }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        let bare = Words(rest.reversed().drop { $0 == "#" }.reversed())
        // The closing marks stand apart from the words, or are words.
        if bare.isEmpty || bare.last == " " || bare.last == "\t" { rest = bare[...] }
        return (level, String(Substring(rest)))
    }

    private static func underline(_ words: Words) -> Int? {
        guard let mark = words.first, mark == "=" || mark == "-" else { return nil }
        let rest = words.drop { $0 == mark }
        return rest.allSatisfy { $0 == " " || $0 == "\t" } ? (mark == "=" ? 1 : 2) : nil
    }

    /// Text that a line of marks below it makes a heading: no list, no quotation, no rule.
    private static func isParagraph(_ words: Words) -> Bool {
        guard let first = words.first(where: { $0 != " " && $0 != "\t" }) else { return false }
        if first == ">" || first == "|" { return false }
        if "-*+".unicodeScalars.contains(first) {
            let second = words.dropFirst().first
            return second != nil && second != " " && second != "\t" && second != first
        }
        return true
    }
}
