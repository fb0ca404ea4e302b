// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Cuts texts into chunks of whole sentences.
struct Chunker: Sendable, Hashable {
    /// A part of a text.
    struct Piece: Sendable, Hashable {
        /// In Unicode scalars of the text.
        var range: Range<Int>
        /// Headings above it, outermost first.
        var path: [String]
    }

    /// Largest chunk, in quarters of a token.
    let most: Int
    /// How much a chunk repeats of the one before, at most, in quarters of a token.
    let overlap: Int

    /// In tokens. More than half of a chunk is never repeated.
    init(tokens: Int, overlap: Int) {
        most = max(8, tokens) * 4
        self.overlap = min(max(0, overlap) * 4, most / 2)
    }

    /// The chunks of a text, in order. They cover everything but white space; none crosses a heading, unless what
    /// stands before the heading is less than an eighth of a chunk.
    func chunks(of document: ExtractedText) -> [Piece] {
        let text = Array(document.text.unicodeScalars)
        return groups(TextSection.sections(document.headings, length: text.count), text).flatMap { section in
            chunks(of: section, text)
        }
    }

    /// Sections, with tiny ones put before the next.
    private func groups(_ sections: [TextSection], _ text: [Unicode.Scalar]) -> [TextSection] {
        var groups: [TextSection] = []
        var weight = 0
        for section in sections {
            let own = TextWeight.of(text[section.range])
            if let last = groups.last, weight < most / 8 {
                let path = own >= weight ? section.path : last.path
                groups[groups.count - 1] = TextSection(
                    range: last.range.lowerBound..<section.range.upperBound, path: path)
                weight += own
            } else {
                groups.append(section)
                weight = own
            }
        }
        return groups
    }

    private func chunks(of section: TextSection, _ text: [Unicode.Scalar]) -> [Piece] {
        let parts = SentenceBreaks.sentences(text, section.range).flatMap { split($0, text) }
        let weights = parts.map { TextWeight.of(text[$0]) }
        var found: [Piece] = []
        var first = 0
        while first < parts.count {
            var weight = weights[first]
            var end = first + 1
            while end < parts.count, weight + weights[end] <= most {
                weight += weights[end]
                end += 1
            }
            if let range = trimmed(parts[first].lowerBound..<parts[end - 1].upperBound, text) {
                found.append(Piece(range: range, path: section.path))
            }
            guard end < parts.count else { break }
            first = start(after: first, before: end, weights)
        }
        return found
    }

    /// Where the next chunk starts so that it repeats whole sentences of the one before and still takes the next one.
    private func start(after first: Int, before end: Int, _ weights: [Int]) -> Int {
        var start = end
        var repeated = 0
        while start - 1 > first, repeated + weights[start - 1] <= overlap,
            repeated + weights[start - 1] + weights[end] <= most
        {
            start -= 1
            repeated += weights[start]
        }
        return start
    }

    private func trimmed(_ range: Range<Int>, _ text: [Unicode.Scalar]) -> Range<Int>? {
        let part = text[range]
        guard let first = part.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = part.lastIndex(where: { !$0.properties.isWhitespace })
        else { return nil }
        return first..<(last + 1)
    }

    private static let pauses = Set("，、：,;:\n—".unicodeScalars)

    /// A sentence in parts that each fit a chunk: behind a pause, else behind a space, else anywhere.
    private func split(_ sentence: Range<Int>, _ text: [Unicode.Scalar]) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = sentence.lowerBound
        while start < sentence.upperBound {
            var weight = 0
            var end = start
            var pause: Int?
            var space: Int?
            while end < sentence.upperBound {
                weight += TextWeight.of(text[end])
                if weight > most { break }
                end += 1
                if Self.pauses.contains(text[end - 1]) { pause = end }
                if text[end - 1].properties.isWhitespace { space = end }
            }
            let cut = end == sentence.upperBound ? end : pause ?? space ?? end
            parts.append(start..<cut)
            start = cut
        }
        return parts
    }
}
