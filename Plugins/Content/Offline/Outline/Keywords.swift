// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Words of a text that tell most about it, names and places left out.
struct Keywords {
    /// At most this many.
    static let most = 12

    /// Most telling first.
    static func find(in source: SourceText, names: [Entity]) -> [String] {
        source.isChinese ? chinese(source, names) : english(source, names)
    }

    private static func english(_ source: SourceText, _ names: [Entity]) -> [String] {
        let taken = Set(
            names.flatMap { $0.name.lowercased().split(separator: " ").map { SourceText.stem(String($0)) } })
        var stems: [String: (count: Int, word: String, first: Int)] = [:]
        for word in source.words(in: 0..<source.scalars.count) where word.text.utf8.count > 3 {
            let stem = SourceText.stem(word.text)
            guard !EnglishWords.stop.contains(word.text), !EnglishWords.speech.contains(word.text),
                !taken.contains(stem),
                !Script.isDigit(source.scalars[word.range.lowerBound])
            else { continue }
            let old = stems[stem] ?? (0, word.text, word.range.lowerBound)
            stems[stem] = (old.count + 1, old.word.utf8.count <= word.text.utf8.count ? old.word : word.text, old.first)
        }
        return stems.values.filter { $0.count >= 2 }.sorted { (-$0.count, $0.first) < (-$1.count, $1.first) }
            .prefix(most).map(\.word)
    }

    private struct Use {
        var count = 0
        var first = 0
        var left: [UInt32: Int] = [:]
        var right: [UInt32: Int] = [:]

        /// Bits of what may stand on the freer of the two sides less free.
        var freedom: Double { min(Self.entropy(left, count), Self.entropy(right, count)) }

        private static func entropy(_ neighbours: [UInt32: Int], _ count: Int) -> Double {
            // In order of size: a sum of floating-point numbers depends on its order.
            neighbours.values.sorted().reduce(0) { sum, times in
                let share = Double(times) / Double(count)
                return sum - share * logarithm(share)
            }
        }
    }

    private static func chinese(_ source: SourceText, _ names: [Entity]) -> [String] {
        var singles: [UInt32: Int] = [:]
        var total = 0
        for scalar in source.scalars where Script.isHan(scalar) {
            singles[scalar, default: 0] += 1
            total += 1
        }
        let uses = grams(source)
        let taken = names.map(\.name.scalarValues)
        var scored: [(word: [UInt32], score: Double, first: Int)] = []
        for (gram, use) in uses where use.count >= 3 {
            let word = gram.scalars
            guard !taken.contains(where: { overlaps($0, word) }), use.freedom >= 1.1 else { continue }
            var expected = 1.0
            for scalar in word { expected *= Double(singles[scalar] ?? 1) / Double(total) }
            let surprise = logarithm(Double(use.count) / Double(total) / expected) / Double(word.count - 1)
            guard surprise > 3 else { continue }
            scored.append((word, Double(use.count).squareRoot() * surprise * min(use.freedom, 3), use.first))
        }
        scored.sort { ($1.score, $0.first, $0.word.count) < ($0.score, $1.first, $1.word.count) }
        var chosen: [[UInt32]] = []
        for entry in scored where chosen.count < most && !chosen.contains(where: { overlaps($0, entry.word) }) {
            chosen.append(entry.word)
        }
        return chosen.map { String(scalarValues: $0) }
    }

    private static func grams(_ source: SourceText) -> [Gram: Use] {
        var uses: [Gram: Use] = [:]
        let scalars = source.scalars
        func isPlain(_ index: Int) -> Bool {
            Script.isHan(scalars[index]) && !ChineseWords.stop.contains(scalars[index])
        }
        for start in scalars.indices where isPlain(start) {
            var gram = Gram()
            for length in 1...4 {
                let end = start + length
                guard end <= scalars.count, isPlain(end - 1) else { break }
                gram.append(scalars[end - 1])
                guard length > 1, !ChineseWords.neverKeywords.contains(gram.scalars) else { continue }
                if uses[gram] == nil { uses[gram] = Use(first: start) }
                uses[gram]?.count += 1
                // A mark counts as a neighbour of its own: a word is free where text ends.
                uses[gram]?.left[
                    start > 0 && Script.isHan(scalars[start - 1]) ? scalars[start - 1] : UInt32(start), default: 0] += 1
                let next = end < scalars.count && Script.isHan(scalars[end]) ? scalars[end] : UInt32(end)
                uses[gram]?.right[next, default: 0] += 1
            }
        }
        return uses
    }

    private static func overlaps(_ first: [UInt32], _ second: [UInt32]) -> Bool {
        let (long, short) = first.count >= second.count ? (first, second) : (second, first)
        return (0...long.count - short.count).contains { long[$0..<$0 + short.count].elementsEqual(short) }
    }
}

/// The base-2 logarithm of a positive number, from additions and squares alone, so that it is the same on every machine.
func logarithm(_ value: Double) -> Double {
    guard value > 0, value.isFinite else { return 0 }
    var result = Double(value.exponent)
    var rest = value.significand
    var bit = 0.5
    while bit > 1e-9 {
        rest *= rest
        if rest >= 2 {
            rest /= 2
            result += bit
        }
        bit /= 2
    }
    return result
}
