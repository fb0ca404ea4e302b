// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Splits a paragraph into sentences; what is quoted stays whole unless it is long.
struct SentenceSplitter {
    let scalars: [UInt32]
    let isChinese: Bool

    /// Longest quotation that is kept in one sentence, in scalars.
    private var longestQuotation: Int { isChinese ? 90 : 320 }

    /// The sentences of a range, white space around them left out.
    func split(_ paragraph: Range<Int>) -> [Range<Int>] {
        var sentences: [Range<Int>] = []
        var start = paragraph.lowerBound
        var index = start
        var depth = 0
        while index < paragraph.upperBound {
            let scalar = scalars[index]
            if Script.isOpeningQuote(scalar) { depth += 1 }
            if Script.isClosingQuote(scalar) { depth = max(0, depth - 1) }
            index += 1
            guard endsSentence(at: index - 1, in: paragraph) else { continue }
            while index < paragraph.upperBound,
                Script.isCloser(scalars[index]) || Script.isTerminator(scalars[index])
            {
                if Script.isClosingQuote(scalars[index]) { depth = max(0, depth - 1) }
                index += 1
            }
            guard depth == 0 || index - start > longestQuotation else { continue }
            append(start..<index, to: &sentences)
            start = index
        }
        append(start..<paragraph.upperBound, to: &sentences)
        return sentences
    }

    private func append(_ range: Range<Int>, to sentences: inout [Range<Int>]) {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, Script.isSpace(scalars[lower]) { lower += 1 }
        while lower < upper, Script.isSpace(scalars[upper - 1]) { upper -= 1 }
        guard (lower..<upper).contains(where: { Script.isWord(scalars[$0]) }) else {
            if let last = sentences.popLast() { sentences.append(last.lowerBound..<max(last.upperBound, upper)) }
            return
        }
        sentences.append(lower..<upper)
    }

    private func endsSentence(at index: Int, in paragraph: Range<Int>) -> Bool {
        let scalar = scalars[index]
        guard Script.isTerminator(scalar) else { return false }
        guard scalar == 0x2E else { return true }
        var next = index + 1
        while next < paragraph.upperBound, Script.isCloser(scalars[next]) { next += 1 }
        guard next < paragraph.upperBound else { return true }
        guard Script.isSpace(scalars[next]) else { return false }
        return !isAbbreviation(before: index, in: paragraph)
    }

    private func isAbbreviation(before index: Int, in paragraph: Range<Int>) -> Bool {
        var lower = index
        while lower > paragraph.lowerBound, Script.isLetter(scalars[lower - 1]) { lower -= 1 }
        guard lower < index else { return false }
        if index - lower == 1, Script.isUpper(scalars[lower]) { return true }
        return EnglishWords.abbreviations.contains(String(scalarValues: scalars[lower..<index]).lowercased())
    }
}
