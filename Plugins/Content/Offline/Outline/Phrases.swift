// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Short runs of a text's own words: titles, quotations, shortened sentences.
struct Phrases {
    let source: SourceText
    let people: [Entity]

    /// The clause of a run of sentences that tells most: with a name, neither short nor long, outside quotations.
    func title(of segment: Range<Int>, scores: SentenceScores) -> String {
        let bounds = source.isChinese ? 4...16 : 12...60
        var best: (range: Range<Int>, score: Double)?
        for index in segment {
            for clause in clauses(of: source.sentences[index].range) {
                var score = scores.values[index]
                if !bounds.contains(clause.count) { score *= 0.25 }
                if clause.count < (source.isChinese ? 7 : 24) { score *= 0.45 }
                let named = people.contains { $0.count(in: clause) > 0 }
                if named { score *= 2 }
                if people.contains(where: { $0.positions.contains(clause.lowerBound) }) { score *= 1.4 }
                if leadsToSpeech(clause) { score *= 0.35 }
                if score > best?.score ?? -1 { best = (clause, score) }
            }
        }
        let range = best?.range ?? source.sentences[segment.lowerBound].range
        return shortened(range, to: bounds.upperBound)
    }

    /// What is said, or told, most tellingly; verbatim, one stretch.
    func quote(of segment: Range<Int>, scores: SentenceScores) -> Range<Int> {
        let limit = source.isChinese ? 80 : 240
        var best = segment.lowerBound
        var bestScore = -1.0
        for index in segment {
            let range = source.sentences[index].range
            var score = scores.values[index]
            if source.scalars[range].contains(where: { Script.isOpeningQuote($0) || $0 == 0x22 }) { score *= 1.5 }
            if range.count > limit { score *= 0.5 }
            if score > bestScore { (best, bestScore) = (index, score) }
        }
        return cut(source.sentences[best].range, to: limit)
    }

    /// The text of a range, cut at a clause where it is too long.
    func shortened(_ range: Range<Int>, to limit: Int) -> String {
        let cut = cut(range, to: limit)
        return cut == range ? source.text(range) : source.text(cut) + "…"
    }

    private func cut(_ range: Range<Int>, to limit: Int) -> Range<Int> {
        guard range.count > limit else { return range }
        var end = range.lowerBound + limit
        let floor = range.lowerBound + limit / 2
        var probe = end
        while probe > floor, Script.isWord(source.scalars[probe]) && !(Script.isHan(source.scalars[probe])) {
            probe -= 1
        }
        if !source.isChinese { end = probe }
        probe = end
        while probe > floor {
            if isClauseMark(source.scalars[probe]) { return range.lowerBound..<probe }
            probe -= 1
        }
        return range.lowerBound..<end
    }

    private func isClauseMark(_ scalar: UInt32) -> Bool {
        scalar == 0xFF0C || scalar == 0x2C || scalar == 0xFF1B || scalar == 0x3B || scalar == 0xFF1A || scalar == 0x3A
            || Script.isTerminator(scalar)
    }

    /// Clauses outside quotations, marks left out.
    private func clauses(of sentence: Range<Int>) -> [Range<Int>] {
        var clauses: [Range<Int>] = []
        var start = sentence.lowerBound
        var depth = 0
        func close(_ end: Int) {
            var lower = start
            while lower < end, !Script.isWord(source.scalars[lower]) { lower += 1 }
            var upper = end
            while upper > lower, !Script.isWord(source.scalars[upper - 1]) { upper -= 1 }
            if lower < upper { clauses.append(lower..<upper) }
        }
        for index in sentence {
            let scalar = source.scalars[index]
            if Script.isOpeningQuote(scalar) {
                if depth == 0 { close(index) }
                depth += 1
            } else if Script.isClosingQuote(scalar) {
                depth = max(0, depth - 1)
                start = index + 1
            } else if depth == 0, isClauseMark(scalar) {
                close(index)
                start = index + 1
            }
        }
        if depth == 0 { close(sentence.upperBound) }
        return clauses
    }

    private func leadsToSpeech(_ clause: Range<Int>) -> Bool {
        let last = source.scalars[clause.upperBound - 1]
        return last == 0x9053 || last == 0x8BF4 || last == 0x95EE || last == 0x8AAA || last == 0x554F
            || EnglishWords.speech.contains(source.words(in: clause).last?.text ?? "")
    }
}
