// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where words begin and end.
enum WordEdges {
    private static let alif: UInt32 = 0x627
    private static let lam: UInt32 = 0x644
    /// And, so.
    private static let conjunctions: Set<UInt32> = [0x648, 0x641]
    /// In, like, for.
    private static let prepositions: Set<UInt32> = [0x628, 0x643, 0x644]
    /// A conjunction, a preposition and the article.
    private static let longestParticle = 4

    /// Whether a word may be found from a key on: nothing of the same word stands before it but what Arabic joins to it.
    static func mayStart(_ index: Int, _ text: FoldedText) -> Bool {
        let keys = text.keys
        guard index > 0, LetterForms.isOfWord(keys[index]), LetterForms.isOfWord(keys[index - 1]) else { return true }
        guard LetterForms.isArabic(keys[index]) else { return false }
        var start = index
        while start > 0, LetterForms.isOfWord(keys[start - 1]) {
            start -= 1
            if index - start > longestParticle { return false }
        }
        return isParticle(keys[start..<index])
    }

    /// Where a word that was found up to a key ends: there, behind the end of the accusative, or nowhere.
    static func end(_ index: Int, _ text: FoldedText) -> Int? {
        let keys = text.keys
        guard text.isBoundary(index) else { return nil }
        guard index < keys.count, LetterForms.isOfWord(keys[index - 1]), LetterForms.isOfWord(keys[index]) else {
            return index
        }
        guard keys[index] == alif, LetterForms.isArabic(keys[index - 1]), text.isBoundary(index + 1) else { return nil }
        return index + 1 == keys.count || !LetterForms.isOfWord(keys[index + 1]) ? index + 1 : nil
    }

    private static func isParticle(_ keys: ArraySlice<UInt32>) -> Bool {
        var rest = keys
        if let first = rest.first, conjunctions.contains(first) { rest = rest.dropFirst() }
        // "For the" is written with two lams.
        if rest.elementsEqual([lam, lam]) { return true }
        if let first = rest.first, prepositions.contains(first) { rest = rest.dropFirst() }
        return rest.isEmpty || rest.elementsEqual([alif, lam])
    }
}
