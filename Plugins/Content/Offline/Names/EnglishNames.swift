// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// People and places of an English text, found by capitals, titles, verbs of speech and prepositions.
struct EnglishNames {
    private struct Use {
        var count = 0
        /// Times where a capital is not owed to the start of a sentence.
        var inside = 0
        var spoken = 0
        var titled = 0
        var located = 0
        var positions: [Int] = []
    }

    private let source: SourceText
    private let words: [Word]
    private var uses: [String: Use] = [:]

    /// Finds people and places, each by first appearance.
    static func entities(in source: SourceText) -> (people: [Entity], places: [Entity]) {
        var names = EnglishNames(source)
        names.collect()
        return names.sorted()
    }

    private init(_ source: SourceText) {
        self.source = source
        words = source.words(in: 0..<source.scalars.count)
    }

    private mutating func collect() {
        var starts = Set(source.sentences.map(\.range.lowerBound))
        for sentence in source.sentences {
            var index = sentence.range.lowerBound
            while index < sentence.range.upperBound, !Script.isWord(source.scalars[index]) { index += 1 }
            starts.insert(index)
        }
        var index = 0
        while index < words.count {
            let end = phraseEnd(from: index)
            if end > index { note(index..<end, starts: starts) }
            index = max(end, index + 1)
        }
    }

    /// Where a run of capitalised words that only spaces part ends.
    private func phraseEnd(from start: Int) -> Int {
        var end = start
        while end < words.count, words[end].isCapitalised,
            !EnglishWords.neverNames.contains(words[end].text) || end > start
        {
            if end > start, !(isJoined(end - 1, end) || isTitleDot(end - 1, end)) { break }
            if end > start, EnglishWords.neverNames.contains(words[end].text) { break }
            end += 1
        }
        return end
    }

    private func isJoined(_ first: Int, _ second: Int) -> Bool {
        source.scalars[words[first].range.upperBound..<words[second].range.lowerBound].allSatisfy { $0 == 0x20 }
    }

    private func isTitleDot(_ first: Int, _ second: Int) -> Bool {
        EnglishWords.abbreviations.contains(words[first].text)
            && source.scalars[words[first].range.upperBound..<words[second].range.lowerBound].elementsEqual([
                0x2E, 0x20,
            ])
    }

    private mutating func note(_ phrase: Range<Int>, starts: Set<Int>) {
        var lower = phrase.lowerBound
        let atStart = starts.contains(words[lower].range.lowerBound) || followsQuote(lower)
        var titled = false
        // "The" and "When" at the head of a sentence owe their capital to it.
        while lower < phrase.upperBound, atStart, EnglishWords.stop.contains(words[lower].text),
            !EnglishWords.titles.contains(words[lower].text)
        {
            lower += 1
        }
        guard lower < phrase.upperBound else { return }
        if EnglishWords.titles.contains(words[lower].text) {
            titled = phrase.upperBound - lower > 1
            guard titled else { return }
        }
        let range = words[lower].range.lowerBound..<words[phrase.upperBound - 1].range.upperBound
        let name = withoutPossessive(source.text(range))
        guard name.unicodeScalars.count > 1 else { return }
        var use = uses[name] ?? Use()
        use.count += 1
        use.positions.append(range.lowerBound)
        if !atStart || lower > phrase.lowerBound || phrase.upperBound - lower > 1 { use.inside += 1 }
        if titled { use.titled += 1 }
        if isSpoken(lower..<phrase.upperBound) { use.spoken += 1 }
        if isLocated(before: lower) { use.located += 1 }
        uses[name] = use
    }

    private func withoutPossessive(_ name: String) -> String {
        for ending in ["'s", "’s"] where name.hasSuffix(ending) { return String(name.dropLast(ending.count)) }
        return name
    }

    private func followsQuote(_ index: Int) -> Bool {
        let start = words[index].range.lowerBound
        guard start > 0 else { return true }
        let previous = source.scalars[start - 1]
        return previous == 0x22 || previous == 0x201C || previous == 0x2018
    }

    private func isSpoken(_ phrase: Range<Int>) -> Bool {
        if phrase.upperBound < words.count, EnglishWords.speech.contains(words[phrase.upperBound].text) { return true }
        return phrase.lowerBound > 0 && EnglishWords.speech.contains(words[phrase.lowerBound - 1].text)
    }

    private func isLocated(before index: Int) -> Bool {
        guard index > 0 else { return false }
        let previous = words[index - 1].text
        if EnglishWords.locative.contains(previous) { return true }
        return previous == "the" && index > 1 && EnglishWords.locative.contains(words[index - 2].text)
    }

    // MARK: Choice

    private func sorted() -> (people: [Entity], places: [Entity]) {
        var people: [String: [Int]] = [:]
        var places = plainPlaces()
        for (name, use) in uses.sorted(by: { $0.key < $1.key }) where use.inside > 0 {
            let last = name.split(separator: " ").last.map { $0.lowercased() } ?? ""
            let ending = EnglishWords.placeEndings.contains(last)
            if ending || (use.spoken == 0 && use.titled == 0 && use.located * 2 >= use.count) {
                places[name, default: []] += use.positions
            } else if use.titled > 0 || use.spoken > 0 || use.count >= 2 {
                people[fullName(of: name), default: []] += use.positions
            }
        }
        return (Self.entities(people), Self.entities(places))
    }

    /// "Mary" is "Mary Holt" where only one longer name starts or ends with it.
    private func fullName(of name: String) -> String {
        let longer = uses.keys.filter { key in
            key != name && (key.hasPrefix(name + " ") || key.hasSuffix(" " + name)) && (uses[key]?.count ?? 0) > 0
                && !EnglishWords.placeEndings.contains(key.split(separator: " ").last.map { $0.lowercased() } ?? "")
        }
        return longer.count == 1 ? longer[0] : name
    }

    /// "the kitchen", "the old mill": common nouns a preposition and an article stand before, twice or more.
    private func plainPlaces() -> [String: [Int]] {
        var found: [String: [Int]] = [:]
        for index in words.indices where index >= 2 {
            let word = words[index]
            guard EnglishWords.plainPlaces.contains(word.text), !word.isCapitalised else { continue }
            var article = index - 1
            if words[article].text != "the", article > 0 { article -= 1 }
            guard words[article].text == "the", article > 0, EnglishWords.locative.contains(words[article - 1].text)
            else { continue }
            found["the " + word.text, default: []].append(word.range.lowerBound)
        }
        return found.filter { $0.value.count >= 2 }
    }

    private static func entities(_ found: [String: [Int]]) -> [Entity] {
        found.map { Entity(name: $0.key, positions: $0.value.sorted()) }
            .sorted { ($0.positions[0], $0.name) < ($1.positions[0], $1.name) }
    }
}
