// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// How much each sentence says about the text.
struct SentenceScores {
    /// One a sentence.
    let values: [Double]

    init(_ source: SourceText, people: [Entity], places: [Entity]) {
        let terms = source.sentences.map { source.terms(in: $0.range) }
        var frequency: [UInt64: Int] = [:]
        for sentence in terms { for term in sentence { frequency[term, default: 0] += 1 } }
        let named = people.prefix(12)
        values = source.sentences.indices.map { index in
            let sentence = source.sentences[index]
            var weight = 0.0
            for term in terms[index] {
                let times = frequency[term] ?? 0
                if times > 1 { weight += Double(times).squareRoot() }
            }
            let length = Double(max(sentence.range.count, source.isChinese ? 12 : 50))
            var score = weight / length.squareRoot()
            let present = named.reduce(0) { $0 + ($1.count(in: sentence.range) > 0 ? 1 : 0) }
            score *= 1 + 0.25 * Double(min(present, 3))
            if places.contains(where: { $0.count(in: sentence.range) > 0 }) { score *= 1.12 }
            return score * Self.lengthFactor(sentence.range.count, isChinese: source.isChinese)
        }
    }

    /// Very short sentences say little, very long ones too much.
    private static func lengthFactor(_ count: Int, isChinese: Bool) -> Double {
        let scale = isChinese ? 1 : 3
        if count < 10 * scale { return 0.4 }
        return count > 110 * scale ? 0.7 : 1
    }

    /// The best sentences of a run, in order, that fit into a number of scalars; the best always, shortened.
    func best(of run: Range<Int>, most: Int, within limit: Int, in source: SourceText) -> [Int] {
        let order = run.sorted { (values[$1], $0) < (values[$0], $1) }
        var chosen: [Int] = []
        var size = 0
        for index in order where chosen.count < most {
            let count = source.sentences[index].range.count
            if chosen.isEmpty || size + count <= limit {
                chosen.append(index)
                size += count
            }
        }
        return chosen.sorted()
    }
}
