// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// People of a Chinese text, found by who speaks, by surnames, by titles and by how freely a word stands.
struct ChineseNames {
    private let scalars: [UInt32]
    private var uses: [Gram: GramUse] = [:]
    private var titled: Set<Gram> = []

    /// Finds the people of a text, by first appearance.
    static func people(in source: SourceText) -> [Entity] {
        var names = ChineseNames(scalars: source.scalars)
        names.collect()
        names.measure()
        return names.merge(names.accepted())
    }

    private init(scalars: [UInt32]) { self.scalars = scalars }

    // MARK: Candidates

    private mutating func collect() {
        for index in scalars.indices where Script.isHan(scalars[index]) {
            collectSurname(at: index)
            if isHead(index) { collectHead(at: index) }
            if isSpeech(at: index) { collectSpeaker(before: index) }
            collectIntroduction(at: index)
        }
    }

    private func isHead(_ index: Int) -> Bool { index == 0 || !Script.isWord(scalars[index - 1]) }

    private func gram(_ start: Int, _ length: Int) -> Gram? {
        guard start >= 0, start + length <= scalars.count else { return nil }
        let slice = scalars[start..<start + length]
        guard slice.allSatisfy(Script.isHan) else { return nil }
        return Gram(slice)
    }

    private mutating func propose(_ gram: Gram?) {
        guard let gram, isNameable(gram) else { return }
        uses[gram, default: GramUse()].count += 0
    }

    private func isNameable(_ gram: Gram) -> Bool {
        let characters = gram.scalars
        guard characters.count >= 2 else { return false }
        if ChineseWords.neverNames.contains(characters) { return false }
        if characters.count > 2, ChineseWords.neverNames.contains(Array(characters[0..<2])) { return false }
        if characters.count > 2, ChineseWords.neverNames.contains(Array(characters.suffix(2))) { return false }
        guard !ChineseWords.notInNames.contains(characters[0]) else { return false }
        // 小二, 张三, 李四: a number may end a name that a surname starts.
        let named = ChineseWords.surnames.contains(characters[0]) && characters.count == 2
        let last = characters[characters.count - 1]
        if named, ChineseWords.orders.contains(last) { return true }
        return !characters.dropFirst().contains(where: ChineseWords.notInNames.contains)
    }

    private mutating func collectSurname(at index: Int) {
        if let pair = gram(index, 2), ChineseWords.compoundSurnames.contains(pair.scalars) {
            propose(gram(index, 3))
            propose(gram(index, 4))
            collectTitle(stem: index, length: 2)
        }
        guard ChineseWords.surnames.contains(scalars[index]) else { return }
        propose(gram(index, 2))
        propose(gram(index, 3))
        collectTitle(stem: index, length: 1)
    }

    private mutating func collectTitle(stem: Int, length: Int) {
        for titleLength in [3, 2] {
            guard let whole = gram(stem, length + titleLength) else { continue }
            let title = Array(whole.scalars.suffix(titleLength))
            guard ChineseWords.titles.contains(title) else { continue }
            // A word such as 方先生 is a name; 相国寺和尚 is not, nor 都 before a title.
            guard !ChineseWords.neverNames.contains(Array(whole.scalars.prefix(2))),
                !ChineseWords.notInNames.contains(scalars[stem])
            else { continue }
            titled.insert(whole)
            uses[whole, default: GramUse()].count += 0
            return
        }
    }

    private mutating func collectHead(at index: Int) {
        for length in 2...3 {
            guard let gram = gram(index, length), index + length < scalars.count,
                ChineseWords.subjectVerbs.contains(scalars[index + length])
            else { continue }
            propose(gram)
        }
    }

    /// Whether a verb of speech with what is said behind it stands here.
    private func isSpeech(at index: Int) -> Bool {
        guard
            scalars[index] == 0x9053 || scalars[index] == 0x8BF4 || scalars[index] == 0x66F0 || scalars[index] == 0x95EE
                || scalars[index] == 0x8AAA || scalars[index] == 0x554F
        else { return false }
        guard index + 1 < scalars.count else { return false }
        let next = scalars[index + 1]
        if next == 0xFF1A || next == 0x3A { return true }
        return next == 0xFF0C && index + 2 < scalars.count && Script.isOpeningQuote(scalars[index + 2])
    }

    /// The word at the head of the clause whose verb of speech stands at `index`, without how it was said.
    private func speaker(before index: Int) -> Range<Int>? {
        var start = index
        while start > 0, Script.isHan(scalars[start - 1]), index - start < 10 { start -= 1 }
        var end = index
        var shortened = true
        while shortened, end > start {
            shortened = false
            for length in [3, 2, 1] where end - length >= start {
                if ChineseWords.manner.contains(Array(scalars[end - length..<end])) {
                    end -= length
                    shortened = true
                    break
                }
            }
        }
        return (2...4).contains(end - start) ? start..<end : nil
    }

    private mutating func collectSpeaker(before index: Int) {
        guard let range = speaker(before: index) else { return }
        propose(Gram(scalars[range]))
    }

    private mutating func collectIntroduction(at index: Int) {
        guard let start = introduced(at: index) else { return }
        for length in 2...3 {
            guard start + length < scalars.count, !Script.isWord(scalars[start + length]) else { continue }
            propose(gram(start, length))
        }
    }

    /// Where a name starts that 唤做, 叫做, 名叫, 名唤 at `index` introduces.
    private func introduced(at index: Int) -> Int? {
        guard index + 2 < scalars.count else { return nil }
        let pair = (scalars[index], scalars[index + 1])
        switch pair {
        case (0x5524, 0x505A), (0x5524, 0x4F5C), (0x53EB, 0x505A), (0x540D, 0x53EB), (0x540D, 0x5524), (0x53EB, 0x4F5C):
            return index + 2
        default: return nil
        }
    }

    // MARK: Measures

    private mutating func measure() {
        let speakers = Set(scalars.indices.filter(isSpeech).compactMap { speaker(before: $0) }.map(Gram2.init))
        for index in scalars.indices where Script.isHan(scalars[index]) {
            var gram = Gram()
            for length in 1...5 {
                guard index + length <= scalars.count, Script.isHan(scalars[index + length - 1]) else { break }
                gram.append(scalars[index + length - 1])
                guard length > 1, uses[gram] != nil else { continue }
                note(gram, at: index, speaks: speakers.contains(Gram2(index..<index + length)))
            }
        }
    }

    /// A range as a hashable pair.
    private struct Gram2: Hashable {
        let lower: Int
        let upper: Int
        init(_ range: Range<Int>) {
            lower = range.lowerBound
            upper = range.upperBound
        }
    }

    private mutating func note(_ gram: Gram, at index: Int, speaks: Bool) {
        let end = index + gram.count
        let next = end < scalars.count ? scalars[end] : 0
        let previous = index > 0 ? scalars[index - 1] : 0
        let head = isHead(index)
        let introduced = index >= 2 && self.introduced(at: index - 2) == index && !Script.isWord(next)
        uses[gram, default: GramUse()].count += 1
        uses[gram]?.left[previous, default: 0] += 1
        uses[gram]?.right[next, default: 0] += 1
        if head { uses[gram]?.heads += 1 }
        if ChineseWords.subjectVerbs.contains(next) { uses[gram]?.subjects += 1 }
        if speaks { uses[gram]?.speeches += 1 }
        if introduced { uses[gram]?.introductions += 1 }
    }

    // MARK: Choice

    private func accepted() -> Set<Gram> {
        var names: Set<Gram> = titled.filter { titleStands($0) }
        for (gram, use) in uses where !titled.contains(gram) && isName(gram, use) { names.insert(gram) }
        return names
    }

    private func titleStands(_ gram: Gram) -> Bool {
        guard let use = uses[gram] else { return false }
        return use.count >= 2 || use.heads + use.speeches > 0
    }

    private func isName(_ gram: Gram, _ use: GramUse) -> Bool {
        let characters = gram.scalars
        guard use.count >= 2, !isFragment(gram, use) else { return false }
        // 东水门 starts with a surname and is a gate.
        if use.speeches == 0, characters.count > 2,
            ChineseWords.placeEndings.contains([characters[characters.count - 1]])
        {
            return false
        }
        let compound = ChineseWords.compoundSurnames.contains(Array(characters.prefix(2))) && characters.count > 2
        let surname = compound || (ChineseWords.surnames.contains(characters[0]) && characters.count <= 3)
        if surname {
            if characters.count == 2, ChineseWords.orders.contains(characters[1]) { return true }
            if use.speeches >= 1 || use.introductions >= 1 { return true }
            let free = use.right.count >= min(3, use.count) && use.left.count >= min(2, use.count)
            if characters.count == 3, use.count >= 2, use.heads >= 1, use.subjects >= 1, free { return true }
            return use.count >= 3 && use.heads >= 1 && use.subjects >= 1 && use.heads + use.subjects >= 3 && free
        }
        guard characters.count == 2 else { return use.speeches >= 3 && use.count >= 4 }
        if use.speeches >= 2 && use.count >= 4 { return true }
        return use.subjects >= 4 && use.count >= 8 && use.heads * 3 >= use.count && use.right.count >= 5
    }

    /// Whether it is the start, the end or a stretched form of another word.
    private func isFragment(_ gram: Gram, _ use: GramUse) -> Bool {
        if GramUse.dominance(use.right, of: use.count) > 0.65 { return true }
        if use.count >= 3, GramUse.dominance(use.left, of: use.count) > 0.75 { return true }
        let characters = gram.scalars
        if characters.count >= 3 {
            let prefix = Gram(characters.dropLast())
            if let shorter = uses[prefix], Double(use.count) < 0.6 * Double(shorter.count) { return true }
        }
        return titled.contains { whole in
            let long = whole.scalars
            return long.count > characters.count && long.starts(with: characters)
                && (uses[whole]?.count ?? 0) * 2 > use.count
        }
    }

    // MARK: Places in the text

    /// Joins a given name with the full name, counts without overlap and orders by first appearance.
    private func merge(_ names: Set<Gram>) -> [Entity] {
        var canonical: [Gram: Gram] = [:]
        for name in names { canonical[name] = name }
        for name in names where name.count == 2 && !titled.contains(name) {
            let full = uses.keys.filter { longer in
                longer.count == 3 && Array(longer.scalars.suffix(2)) == name.scalars
                    && ChineseWords.surnames.contains(longer.scalars[0]) && (uses[longer]?.count ?? 0) > 0
            }
            guard full.count == 1, let whole = full.first,
                !ChineseWords.surnames.contains(name.scalars[0]) || names.contains(whole)
            else { continue }
            canonical[name] = whole
            canonical[whole] = whole
        }
        return Entity.all(canonical, in: scalars, longest: 5)
    }
}
