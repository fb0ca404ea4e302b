// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A sentence of a text.
struct Sentence: Equatable {
    /// Where it stands, in scalars, white space around it left out.
    var range: Range<Int>
    /// Which paragraph it belongs to.
    var paragraph: Int
}

/// A text as an outline sees it: scalars, paragraphs without markup, sentences.
struct SourceText {
    /// Every scalar, markup included: offsets count these.
    let scalars: [UInt32]
    /// Of the front matter or the first heading; empty where there is neither.
    private(set) var title = ""
    /// Paragraphs in order.
    private(set) var paragraphs: [Range<Int>] = []
    /// Paragraphs that a heading, a rule or a line of asterisks stands before.
    private(set) var sections: Set<Int> = []
    /// Sentences in order.
    private(set) var sentences: [Sentence] = []
    /// Whether more of it is Han characters than words of an alphabet.
    let isChinese: Bool

    /// Reads a text with or without Markdown.
    init(_ text: String) {
        scalars = text.scalarValues
        var han = 0
        var letters = 0
        for scalar in scalars {
            if Script.isHan(scalar) { han += 1 } else if Script.isLetter(scalar) { letters += 1 }
        }
        isChinese = han * 4 >= letters && han > 0
        readLines()
        for (index, paragraph) in paragraphs.enumerated() {
            for range in SentenceSplitter(scalars: scalars, isChinese: isChinese).split(paragraph) {
                sentences.append(Sentence(range: range, paragraph: index))
            }
        }
    }

    /// The text of a range.
    func text(_ range: Range<Int>) -> String { String(scalarValues: scalars[range]) }

    private mutating func readLines() {
        var lines = LineReader(scalars: scalars)
        var open: Range<Int>?
        var sectionStarts = false
        if let frontMatter = lines.frontMatterTitle() { title = text(frontMatter) }
        while let line = lines.next() {
            let content = trimmed(line)
            if content.isEmpty {
                open = nil
            } else if let heading = headingContent(content) {
                open = nil
                sectionStarts = true
                if title.isEmpty { title = text(heading) }
            } else if isRule(content) {
                open = nil
                sectionStarts = true
            } else if let current = open, !isChinese {
                open = current.lowerBound..<content.upperBound
                paragraphs[paragraphs.count - 1] = current.lowerBound..<content.upperBound
            } else {
                if sectionStarts { sections.insert(paragraphs.count) }
                sectionStarts = false
                paragraphs.append(content)
                open = content
            }
        }
    }

    /// The range without white space and quotation marks of Markdown around it.
    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, Script.isSpace(scalars[lower]) || scalars[lower] == 0x3E { lower += 1 }
        while lower < upper, Script.isSpace(scalars[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    private func headingContent(_ range: Range<Int>) -> Range<Int>? {
        var index = range.lowerBound
        while index < range.upperBound, scalars[index] == 0x23 { index += 1 }
        guard index > range.lowerBound, index - range.lowerBound <= 6, index < range.upperBound,
            Script.isSpace(scalars[index])
        else { return nil }
        return trimmed(index..<range.upperBound)
    }

    private func isRule(_ range: Range<Int>) -> Bool {
        !range.contains { Script.isWord(scalars[$0]) || Script.isTerminator(scalars[$0]) }
    }
}

/// Gives a text's lines one by one.
private struct LineReader {
    let scalars: [UInt32]
    var position = 0

    mutating func next() -> Range<Int>? {
        guard position < scalars.count else { return nil }
        let start = position
        while position < scalars.count, scalars[position] != 0x0A { position += 1 }
        defer { position += 1 }
        return start..<position
    }

    /// Skips front matter between two lines of `---` and gives what stands after `title:` in it.
    mutating func frontMatterTitle() -> Range<Int>? {
        let saved = position
        guard let first = next(), isFence(first) else {
            position = saved
            return nil
        }
        var title: Range<Int>?
        while let line = next() {
            if isFence(line) { return title ?? 0..<0 }
            let key = "title:".scalarValues
            if scalars[line].starts(with: key) { title = unquoted(line.lowerBound + key.count..<line.upperBound) }
        }
        position = saved
        return nil
    }

    private func isFence(_ line: Range<Int>) -> Bool {
        line.count >= 3 && line.prefix(3).allSatisfy { scalars[$0] == 0x2D }
            && line.allSatisfy { scalars[$0] == 0x2D || Script.isSpace(scalars[$0]) }
    }

    private func unquoted(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        func isPadding(_ scalar: UInt32) -> Bool { Script.isSpace(scalar) || scalar == 0x22 || scalar == 0x27 }
        while lower < upper, isPadding(scalars[lower]) { lower += 1 }
        while lower < upper, isPadding(scalars[upper - 1]) { upper -= 1 }
        return lower..<upper
    }
}
