// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a text is judged to be.
struct Judgement: Equatable {
    /// A rule broken.
    struct Finding: Equatable {
        var taboo: PackTaboo
        var quote: String
        /// In Unicode scalars.
        var range: Range<Int>
    }

    var findings: [Finding] = []
    /// Words of the setting and how often they stand.
    var vocabulary: [String: Int] = [:]
    /// Ids of stages, best first.
    var stages: [String] = []
}

/// Judges texts by the pack: what does not belong, what does, and where they play.
struct PackJudge: Sendable {
    private let taboos: PatternTrie
    private let tabooOfPattern: [Int]
    private let words: PatternTrie
    private let wordTexts: [String]
    private let stageCues: PatternTrie
    private let cueStages: [Int]

    /// Builds the search structures once; judging only reads them.
    init() {
        var owners: [Int] = []
        var patterns: [String] = []
        for (index, taboo) in Taboos.all.enumerated() {
            patterns += taboo.patterns
            owners += Array(repeating: index, count: taboo.patterns.count)
        }
        taboos = PatternTrie(patterns)
        tabooOfPattern = owners
        wordTexts = Vocabulary.all.map(\.term)
        words = PatternTrie(wordTexts)
        var stages: [Int] = []
        var cues: [String] = []
        for (index, stage) in Stages.all.enumerated() {
            let all = stage.cues + [stage.english.lowercased()]
            cues += all
            stages += Array(repeating: index, count: all.count)
        }
        stageCues = PatternTrie(cues)
        cueStages = stages
    }

    /// Judges a text.
    func judge(_ text: String) -> Judgement {
        let scalars = text.scalarValues
        var judgement = Judgement()
        judgement.findings = taboos.matches(in: scalars).map { match in
            Judgement.Finding(
                taboo: Taboos.all[tabooOfPattern[match.pattern]], quote: String(scalarValues: scalars[match.range]),
                range: match.range)
        }
        for match in words.matches(in: scalars) { judgement.vocabulary[wordTexts[match.pattern], default: 0] += 1 }
        judgement.stages = rank(scalars).map { Stages.all[$0].id }
        return judgement
    }

    /// Stages that a text names, by how often and then by their order in the pack.
    private func rank(_ scalars: [UInt32]) -> [Int] {
        var scores: [Int: Int] = [:]
        for match in stageCues.matches(in: scalars) {
            scores[cueStages[match.pattern], default: 0] += match.range.count
        }
        return scores.keys.sorted { (-(scores[$0] ?? 0), $0) < (-(scores[$1] ?? 0), $1) }
    }
}
