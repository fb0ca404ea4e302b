// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Judges texts by a pack: what does not belong, what does, and where they play.
struct PackJudge: Sendable {
    let document: PackDocument
    let rules: [PackRule]
    let folding: ScalarFolding
    /// By kind of text, since the longest of the rules that hold wins.
    private var faults: [TextKinds: OwnedPatterns] = [:]
    private let words: OwnedPatterns
    private let stageCues: OwnedPatterns
    private let normCues: OwnedPatterns

    /// Builds the search structures once; judging only reads them.
    init(_ document: PackDocument) {
        self.document = document
        rules = document.rules
        let folding = ScalarFolding(document.variants)
        self.folding = folding
        for kind in TextKinds.each {
            faults[kind] = OwnedPatterns(
                rules.map { $0.kinds.contains(kind) ? $0.patterns : [] }, folding)
        }
        words = OwnedPatterns(document.vocabulary.map { [$0.term] + ($0.forms ?? []) }, folding)
        stageCues = OwnedPatterns(document.stages.map { Array($0.name.texts.values.sorted()) + $0.cues }, folding)
        normCues = OwnedPatterns(document.norms.map(\.cues), folding)
    }

    /// Judges a text.
    func judge(_ text: String, as kind: TextKinds = .prose) -> Judgement {
        let folded = folding.fold(text)
        var judgement = Judgement()
        judgement.findings = (faults[kind]?.matches(in: folded) ?? []).map { owner, match in
            Judgement.Finding(
                rule: owner, quote: String(scalarValues: folded.scalars[match.range]), range: match.range)
        }
        for (owner, _) in words.matches(in: folded) {
            judgement.vocabulary[document.vocabulary[owner].term, default: 0] += 1
        }
        judgement.stages = rank(folded).map { document.stages[$0].id }
        return judgement
    }

    /// Norms whose words stand in a text, most words first.
    func norms(for text: String) -> [PackNorm] {
        let scores = normCues.scores(in: folding.fold(text))
        return scores.keys.sorted { (-(scores[$0] ?? 0), $0) < (-(scores[$1] ?? 0), $1) }.map { document.norms[$0] }
    }

    /// Stages that a text names, by how often and then by their order in the pack.
    private func rank(_ text: FoldedText) -> [Int] {
        var scores: [Int: Int] = [:]
        for (owner, match) in stageCues.matches(in: text) { scores[owner, default: 0] += match.range.count }
        return scores.keys.sorted { (-(scores[$0] ?? 0), $0) < (-(scores[$1] ?? 0), $1) }
    }
}

/// Patterns that belong to entries of a table.
struct OwnedPatterns: Sendable {
    private let trie: PatternTrie
    /// By pattern. Several entries may have one; the first is found.
    private let owners: [[Int]]
    private let lengths: [Int]

    /// - Parameter lists: the patterns of each entry.
    init(_ lists: [[String]], _ folding: ScalarFolding) {
        var patterns: [[UInt32]] = []
        var owners: [[Int]] = []
        var numbers: [[UInt32]: Int] = [:]
        for (owner, list) in lists.enumerated() {
            for pattern in list {
                let keys = folding.fold(pattern).keys
                if let number = numbers[keys] {
                    if owners[number].last != owner { owners[number].append(owner) }
                } else {
                    numbers[keys] = patterns.count
                    patterns.append(keys)
                    owners.append([owner])
                }
            }
        }
        trie = PatternTrie(patterns)
        self.owners = owners
        lengths = patterns.map(\.count)
    }

    /// Matches in order of place, each with its entry.
    func matches(in text: FoldedText) -> [(owner: Int, match: PatternTrie.Match)] {
        trie.matches(in: text).map { (owners[$0.pattern][0], $0) }
    }

    /// For each entry that a text has words of, how long those words are together.
    func scores(in text: FoldedText) -> [Int: Int] {
        var scores: [Int: Int] = [:]
        for pattern in trie.contained(in: text) {
            for owner in owners[pattern] { scores[owner, default: 0] += lengths[pattern] }
        }
        return scores
    }
}
