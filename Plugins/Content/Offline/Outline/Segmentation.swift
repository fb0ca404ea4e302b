// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Cuts a text where its words change, where a scene starts or ends and where its author put a break.
struct Segmentation {
    /// Cuts of the text into runs of sentences, in order; every sentence is in one.
    let segments: [Range<Int>]

    /// Most beats of an outline.
    static let most = 14
    /// Fewest beats of an outline whose text has that many sentences.
    static let fewest = 5

    init(_ source: SourceText) {
        let sentences = source.sentences
        guard sentences.count > 1 else {
            segments = sentences.isEmpty ? [] : [0..<1]
            return
        }
        let gaps = Gaps(source)
        let length = sentences.reduce(0) { $0 + $1.range.count }
        let perBeat = source.isChinese ? 620 : 1500
        let wanted = min(sentences.count, max(Self.fewest, min(Self.most, (length + perBeat / 2) / perBeat)))
        segments = Self.cut(gaps, into: wanted, length: length)
    }

    /// Takes the deepest gaps first and lets no segment be much shorter than the others.
    private static func cut(_ gaps: Gaps, into wanted: Int, length: Int) -> [Range<Int>] {
        var cuts: [Int] = []
        let order = gaps.scores.indices.sorted { (gaps.scores[$1], $0) < (gaps.scores[$0], $1) }
        for share in [0.45, 0.3, 0.15, 0] {
            let shortest = Int(Double(length) / Double(wanted) * share)
            for gap in order where cuts.count + 1 < wanted && !cuts.contains(gap) {
                let place = gaps.offsets[gap]
                let near = cuts.contains { abs(gaps.offsets[$0] - place) < shortest }
                if !near, place >= shortest, length - place >= shortest { cuts.append(gap) }
            }
        }
        cuts.sort()
        var start = 0
        var segments: [Range<Int>] = []
        for cut in cuts {
            segments.append(start..<cut + 1)
            start = cut + 1
        }
        segments.append(start..<gaps.scores.count + 1)
        return segments
    }
}

/// How well a cut behind each sentence would stand.
private struct Gaps {
    /// One a gap; gap n is behind sentence n.
    private(set) var scores: [Double] = []
    /// How much text is before the gap, in scalars.
    private(set) var offsets: [Int] = []

    /// Scalars on each side of a gap that are compared.
    private let window: Int

    init(_ source: SourceText) {
        window = source.isChinese ? 320 : 900
        let terms = source.sentences.map { source.terms(in: $0.range) }
        var offset = 0
        for sentence in source.sentences.dropLast() {
            offset += sentence.range.count
            offsets.append(offset)
        }
        let cohesion = Self.cohesion(source.sentences.map(\.range.count), terms, window: window)
        for gap in cohesion.indices {
            let depth =
                Self.peak(cohesion, from: gap, by: -1) + Self.peak(cohesion, from: gap, by: 1) - 2 * cohesion[gap]
            scores.append(depth + Self.cue(source, behind: gap))
        }
    }

    private static func peak(_ values: [Double], from gap: Int, by step: Int) -> Double {
        var index = gap
        var best = values[gap]
        while values.indices.contains(index), values[index] >= best, abs(index - gap) < 12 {
            best = values[index]
            index += step
        }
        return best
    }

    /// The cosine of what stands before and behind each gap.
    private static func cohesion(_ lengths: [Int], _ terms: [[UInt64]], window: Int) -> [Double] {
        (0..<max(0, lengths.count - 1)).map { gap in
            var left: [UInt64: Int] = [:]
            var right: [UInt64: Int] = [:]
            var size = 0
            var index = gap
            while index >= 0, size < window {
                for term in terms[index] { left[term, default: 0] += 1 }
                size += lengths[index]
                index -= 1
            }
            size = 0
            index = gap + 1
            while index < lengths.count, size < window {
                for term in terms[index] { right[term, default: 0] += 1 }
                size += lengths[index]
                index += 1
            }
            let dot = left.reduce(0) { $0 + $1.value * (right[$1.key] ?? 0) }
            let norms = left.values.reduce(0) { $0 + $1 * $1 } * right.values.reduce(0) { $0 + $1 * $1 }
            return norms == 0 ? 0 : Double(dot) / Double(norms).squareRoot()
        }
    }

    /// What speaks for and against a cut besides words.
    private static func cue(_ source: SourceText, behind gap: Int) -> Double {
        let (before, after) = (source.sentences[gap], source.sentences[gap + 1])
        var score = 0.0
        if before.paragraph != after.paragraph {
            score += 0.12
            if source.sections.contains(after.paragraph) { score += 1.5 }
        }
        let head = source.scalars[after.range.prefix(24)]
        if source.isChinese {
            if (2...4).contains(where: { ChineseWords.sceneStarts.contains(Array(head.prefix($0))) }) { score += 0.35 }
            let tail = source.scalars[before.range.suffix(6)]
            if ChineseWords.sceneEnds.contains(where: {
                tail.count >= $0.count && tail.suffix($0.count).elementsEqual($0) || contains(tail, $0)
            }) {
                score += 0.3
            }
        } else if Self.startsScene(String(scalarValues: head).lowercased()) {
            score += 0.3
        }
        let speaks = source.scalars[before.range].contains(where: Script.isOpeningQuote)
        let answers = source.scalars[after.range].contains(where: Script.isOpeningQuote)
        if speaks && answers { score -= 0.15 }
        if speaks != answers { score += 0.04 }
        return score
    }

    private static func contains(_ text: ArraySlice<UInt32>, _ word: [UInt32]) -> Bool {
        guard text.count >= word.count else { return false }
        return (text.startIndex...text.endIndex - word.count).contains {
            text[$0..<$0 + word.count].elementsEqual(word)
        }
    }

    private static func startsScene(_ head: String) -> Bool {
        [
            "the next ", "next morning", "that night", "that evening", "that afternoon", "later", "meanwhile",
            "at dawn", "by noon",
            "at noon", "at dusk", "by dusk", "at midnight", "the following", "hours later", "days later",
            "in the morning", "when morning",
            "by evening", "a week", "an hour", "two days", "three days", "the morning",
        ].contains { head.hasPrefix($0) }
    }
}
