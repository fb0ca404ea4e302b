// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Places of a Chinese text, found by how their names end and by what stands around them.
struct ChinesePlaces {
    private let scalars: [UInt32]
    private let people: [[UInt32]]
    private var counts: [Gram: (count: Int, located: Int, surely: Bool)] = [:]

    /// Longest name without its ending, in characters.
    private static let longestStem = 4
    private static let stemStops: Set<UInt32> = ChineseWords.stop.union(ChineseWords.locative).union(
        "开关推敲打了着把座间那这个条处听说道看站坐走跑拿夹守拦杀烧座每满整全过大小是又原即名使令领带差送押迎请邀教望买卖投拜谢见寻找访问管修盖住占奉封摇晃近远日夜头"
            .scalarValues)
    private static let bigOrSmall: Set<UInt32> = Set("大小".scalarValues)

    /// Finds the places of a text, by first appearance.
    static func places(in source: SourceText, people: [Entity]) -> [Entity] {
        var places = ChinesePlaces(scalars: source.scalars, people: people.map(\.name.scalarValues))
        places.collect()
        return places.merge(places.accepted())
    }

    private init(scalars: [UInt32], people: [[UInt32]]) {
        self.scalars = scalars
        self.people = people
    }

    private mutating func collect() {
        for end in 2..<max(2, scalars.count + 1) {
            guard let ending = endingLength(before: end) else { continue }
            guard end == scalars.count || !continues(at: end) else { continue }
            collect(endingAt: end, ending: ending)
        }
    }

    /// Whether a longer ending runs over this spot, as 夜市 over 夜.
    private func continues(at end: Int) -> Bool {
        ChineseWords.placeEndings.contains([scalars[end]]) || isDouble(end)
    }

    private func isDouble(_ end: Int) -> Bool {
        end + 2 <= scalars.count && ChineseWords.placeEndings.contains(Array(scalars[end..<end + 2]))
    }

    private func endingLength(before end: Int) -> Int? {
        for length in [3, 2, 1] where end - length >= 1 {
            if ChineseWords.placeEndings.contains(Array(scalars[end - length..<end])) { return length }
        }
        return nil
    }

    private mutating func collect(endingAt end: Int, ending: Int) {
        var start = end - ending
        while start > 0, end - ending - start < Self.longestStem + 1 {
            let previous = scalars[start - 1]
            guard Script.isHan(previous) else { break }
            if Self.stemStops.contains(previous) {
                // 大相国寺 and 小石桥 keep what 大 and 小 say; 这大街 does not.
                if Self.bigOrSmall.contains(previous), end - ending - start >= 2, isBoundary(start - 1) { start -= 1 }
                break
            }
            start -= 1
        }
        let stem = end - ending - start
        guard stem >= 1, stem <= Self.longestStem else { return }
        let name = Array(scalars[start..<end])
        guard !ChineseWords.neverPlaces.contains(name), !people.contains(where: { name.starts(with: $0) }) else {
            return
        }
        let before = start > 0 ? scalars[start - 1] : 0
        let after = end < scalars.count ? scalars[end] : 0
        let into = ChineseWords.locative.contains(before)
        let located = into || (ChineseWords.locativeAfter.contains(after) && stem > 1)
        let surely = (into || before == 0x90A3) && ChineseWords.locativeAfter.contains(after)
        let gram = Gram(name)
        guard gram.count == name.count else { return }
        let old = counts[gram] ?? (0, 0, false)
        counts[gram] = (old.count + 1, old.located + (located ? 1 : 0), old.surely || surely)
    }

    private func isBoundary(_ index: Int) -> Bool {
        index == 0 || !Script.isHan(scalars[index - 1]) || Self.stemStops.contains(scalars[index - 1])
    }

    private func accepted() -> Set<Gram> {
        var names: Set<Gram> = []
        for (gram, use) in counts {
            if use.located >= 1, use.count >= 2 || (gram.count >= 3 && use.surely) { names.insert(gram) }
        }
        return names
    }

    /// Joins 大相国寺 and 相国寺, counts without overlap and orders by first appearance.
    private func merge(_ names: Set<Gram>) -> [Entity] {
        var canonical: [Gram: Gram] = [:]
        for name in names {
            let shorter = names.filter { other in
                other.count < name.count
                    && (other.count >= 3 || (counts[other]?.count ?? 0) > (counts[name]?.count ?? 0))
                    && name.scalars.suffix(other.count).elementsEqual(other.scalars)
            }
            canonical[name] = shorter.min { $0.count < $1.count } ?? name
        }
        for name in names { canonical[name] = canonical[canonical[name] ?? name] ?? name }
        return Entity.all(canonical, in: scalars, longest: 6)
    }
}
