// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The terms of each ORDER BY in a text, as far as words tell them.
///
/// SQLite takes NULL for smaller than everything, PostgreSQL for larger. A term that does not say where it wants them is
/// made to say it as SQLite means it; one that cannot be NULL is left as it is, so that an index serves it.
struct SortTerms: TokenReading {
    /// One term.
    struct Term: Hashable {
        /// Its last token.
        var last: Int
        var isDescending: Bool
        /// NULLS FIRST or NULLS LAST stands there.
        var saysNulls: Bool
        /// The column that it is; nil where it is more than a column's name, or the name is given to something else too.
        var column: String?
    }

    /// In small letters, without comments.
    let words: [String]
    let tokens: [SQLToken]

    /// What is to be put behind which tokens.
    func additions(neverNull: (String) -> Bool) -> [Int: String] {
        let hasOuterJoin = words.indices.contains { isWord($0) && ["left", "right", "full"].contains(words[$0]) }
        var additions: [Int: String] = [:]
        for term in terms() where !term.saysNulls {
            if let column = term.column, !hasOuterJoin, neverNull(column) { continue }
            additions[term.last] = term.isDescending ? " NULLS LAST" : " NULLS FIRST"
        }
        return additions
    }

    /// In the order of the text.
    func terms() -> [Term] {
        let given = givenNames()
        var terms: [Term] = []
        for index in words.indices where words[index] == "order" && isWord(index) && at(index + 1) == "by" {
            var (start, place) = (index + 2, index + 2)
            while place < words.count, !isEnd(place) {
                if words[place] == "," {
                    if let term = term(start..<place, given) { terms.append(term) }
                    start = place + 1
                }
                place = words[place] == "(" ? closing(place) + 1 : place + 1
            }
            if let term = term(start..<min(place, words.count), given) { terms.append(term) }
        }
        return terms
    }

    private static let ends: Set<String> = [
        "limit", "offset", "rows", "range", "groups", "union", "except", "intersect", "on", "returning",
    ]

    /// Whether the list of terms ends before this token.
    private func isEnd(_ index: Int) -> Bool {
        words[index] == ")" || words[index] == ";"
            || isWord(index) && Self.ends.contains(words[index]) && at(index - 1) != "."
    }

    private func term(_ range: Range<Int>, _ given: Set<String>) -> Term? {
        guard !range.isEmpty else { return nil }
        var end = range.upperBound
        let saysNulls = end - range.lowerBound > 2 && at(end - 2) == "nulls"
        if saysNulls { end -= 2 }
        let isDescending = at(end - 1) == "desc"
        if isDescending || at(end - 1) == "asc" { end -= 1 }
        var column: String?
        if end - range.lowerBound == 1 || end - range.lowerBound == 3 && at(end - 2) == "." {
            column = name(end - 1)
        }
        if let name = column, given.contains(name) { column = nil }
        return Term(last: range.upperBound - 1, isDescending: isDescending, saysNulls: saysNulls, column: column)
    }

    /// Names that the text itself gives: behind AS, and to the columns of a common table expression.
    private func givenNames() -> Set<String> {
        var names: Set<String> = []
        for index in words.indices where words[index] == "as" && isWord(index) {
            if let name = name(index + 1) { names.insert(name) }
            guard at(index - 1) == ")", at(index + 1) == "(" else { continue }
            var place = index - 2
            while place >= 0, words[place] != "(" {
                if let name = name(place) { names.insert(name) }
                place -= 1
            }
        }
        return names
    }

    private func name(_ index: Int) -> String? {
        guard words.indices.contains(index) else { return nil }
        let word = words[index]
        switch tokens[index].kind {
        case .word: return word.utf8.first.map { (48...57).contains($0) } == true ? nil : word
        case .quoted: return word.hasPrefix("\"") ? String(word.dropFirst().dropLast()) : nil
        case .table, .parameter, .comment, .punctuation: return nil
        }
    }
}
