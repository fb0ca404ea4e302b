// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Finds columns that a SELECT with groups or aggregates gives and does not say of which row.
///
/// SQLite takes any row's; PostgreSQL refuses. Seen in the list of what is selected, in HAVING and in ORDER BY, by its
/// words: a name in a term of GROUP BY is taken for grouped wherever it stands, and windows and subqueries are left alone.
struct GroupedSelects: TokenReading {
    /// A loose column: its place among the tokens, and its name.
    struct Finding {
        var index: Int
        var name: String
    }

    /// In small letters, without comments.
    let words: [String]
    let tokens: [SQLToken]

    /// The first loose column.
    func finding() -> Finding? {
        for index in words.indices where words[index] == "select" && isWord(index) && at(index - 1) != "." {
            if let finding = finding(inSelectAt: index) { return finding }
        }
        return nil
    }

    private func finding(inSelectAt start: Int) -> Finding? {
        let clauses = clauses(ofSelectAt: start)
        let items = split(clauses.list)
        let terms = clauses.groups.map(split) ?? []
        guard clauses.groups != nil || items.contains(where: hasAggregate) else { return nil }
        var grouped: Set<String> = []
        for term in terms { grouped.formUnion(term.filter(isName).map(name)) }
        let tables = Set(clauses.tables.map { words[$0] })
        for (place, item) in items.enumerated() {
            if terms.contains(where: { $0.count == 1 && words[$0.lowerBound] == String(place + 1) }) { continue }
            if let alias = alias(of: item), grouped.contains(name(alias)) { continue }
            if let loose = references(in: item, tables).first(where: { !grouped.contains(name($0)) }) {
                return Finding(index: loose, name: name(loose))
            }
        }
        let loose =
            clauses.having.flatMap { references(in: $0, tables).first { !grouped.contains(name($0)) } }
            ?? looseTerm(clauses, Set(items.compactMap(alias).map(name)), grouped, tables, start)
        return loose.map { Finding(index: $0, name: name($0)) }
    }

    /// The first loose column of ORDER BY, which may also name what is selected.
    private func looseTerm(
        _ clauses: Clauses, _ aliases: Set<String>, _ grouped: Set<String>, _ tables: Set<String>, _ start: Int
    ) -> Int? {
        // Of a compound it sorts the whole.
        guard let order = clauses.order, !["union", "all", "except", "intersect"].contains(at(start - 1)) else {
            return nil
        }
        for term in split(order) {
            var end = term.upperBound
            if end - term.lowerBound > 2, at(end - 2) == "nulls" { end -= 2 }
            if end - term.lowerBound > 1, ["asc", "desc"].contains(at(end - 1)) { end -= 1 }
            let term = term.lowerBound..<end
            if term.count == 1, aliases.contains(name(term.lowerBound)) { continue }
            if let loose = references(in: term, tables).first(where: { !grouped.contains(name($0)) }) { return loose }
        }
        return nil
    }

    // MARK: Clauses

    private struct Clauses {
        var list: Range<Int>
        var tables: Range<Int>
        var groups: Range<Int>?
        var having: Range<Int>?
        var order: Range<Int>?
    }

    private static let ends: Set<String> = [
        "having", "order", "limit", "offset", "union", "except", "intersect", "window", "returning",
    ]

    private func clauses(ofSelectAt start: Int) -> Clauses {
        var first = start + 1
        if ["distinct", "all"].contains(at(first)) { first += 1 }
        var marks = Marks()
        var index = first
        while index < words.count, words[index] != ")", words[index] != ";" {
            switch words[index] {
            case "(": index = closing(index)
            case "from" where marks.from == nil && at(index - 1) != "distinct": marks.from = index
            case "where" where marks.condition == nil: marks.condition = index
            case "group" where at(index + 1) == "by": marks.group = index + 2
            // Of INSERT … SELECT … ON CONFLICT; joins stand before GROUP BY.
            case "on" where marks.group != nil: marks.end(index)
            case let word where Self.ends.contains(word) && isWord(index) && at(index - 1) != ".":
                marks.end(index)
                if word == "having" { marks.having = index + 1 }
                if word == "order" { marks.order = index + 2 }
                if ["union", "except", "intersect"].contains(word) { return marks.clauses(from: first, to: index) }
            default: break
            }
            index += 1
        }
        return marks.clauses(from: first, to: min(index, words.count))
    }

    /// Where the clauses of a SELECT begin and end.
    private struct Marks {
        var from: Int?
        var condition: Int?
        var group: Int?
        var having: Int?
        var order: Int?
        private var groupEnd: Int?
        private var havingEnd: Int?
        private var orderEnd: Int?

        /// A clause after WHERE begins, or something behind them all.
        mutating func end(_ index: Int) {
            groupEnd = groupEnd ?? index
            if having != nil { havingEnd = havingEnd ?? index }
            if order != nil { orderEnd = orderEnd ?? index }
        }

        func clauses(from first: Int, to end: Int) -> Clauses {
            let listEnd = from ?? condition ?? groupEnd ?? end
            let tablesEnd = condition ?? group.map { $0 - 2 } ?? groupEnd ?? end
            return Clauses(
                list: first..<max(first, listEnd), tables: listEnd..<max(listEnd, tablesEnd),
                groups: group.map { $0..<max($0, groupEnd ?? end) },
                having: having.map { $0..<max($0, havingEnd ?? end) },
                order: order.map { $0..<max($0, orderEnd ?? end) })
        }
    }

    /// The parts between the commas that stand in no parenthesis.
    private func split(_ range: Range<Int>) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var (start, index) = (range.lowerBound, range.lowerBound)
        while index < range.upperBound {
            if words[index] == "(" { index = closing(index) }
            if at(index) == "," {
                parts.append(start..<index)
                start = index + 1
            }
            index += 1
        }
        if start < range.upperBound { parts.append(start..<range.upperBound) }
        return parts
    }

    // MARK: Expressions

    private static let aggregates: Set<String> = ["avg", "count", "max", "min", "sum"]

    /// Whether it aggregates rows, other than by a window.
    private func hasAggregate(_ item: Range<Int>) -> Bool {
        var index = item.lowerBound
        while index < item.upperBound {
            if isSubquery(index) {
                index = closing(index)
            } else if Self.aggregates.contains(words[index]), isWord(index), at(index + 1) == "(" {
                if !isWindow(after: closing(index + 1)) { return true }
                index = closing(index + 1)
            }
            index += 1
        }
        return false
    }

    /// Names of columns in it that no aggregate, window or subquery holds.
    private func references(in item: Range<Int>, _ tables: Set<String>) -> [Int] {
        if at(item.upperBound - 1) == "*", item.count == 1 || at(item.upperBound - 2) == "." {
            return [item.upperBound - 1]
        }
        var found: [Int] = []
        let alias = alias(of: item)
        var index = item.lowerBound
        while index < item.upperBound {
            if isSubquery(index) {
                index = closing(index)
            } else if at(index + 1) == "(", isWord(index) {
                let end = closing(index + 1)
                if Self.aggregates.contains(words[index]) || isWindow(after: end) { index = pastWindow(end) }
            } else if index != alias, isName(index), at(index - 1) != "as" {
                let isQualified = at(index - 1) == "."
                // One of a table that is not here is the same for all rows: that of a query around this one.
                if !isQualified || tables.contains(at(index - 2)) { found.append(index) }
            }
            index += 1
        }
        return found
    }

    private func isSubquery(_ index: Int) -> Bool {
        words[index] == "(" && ["select", "with", "values"].contains(at(index + 1))
    }

    private func isWindow(after end: Int) -> Bool {
        if at(end + 1) == "filter", at(end + 2) == "(" { return at(closing(end + 2) + 1) == "over" }
        return at(end + 1) == "over"
    }

    /// The name that an expression is given.
    private func alias(of item: Range<Int>) -> Int? {
        let last = item.upperBound - 1
        guard item.count > 1, isName(last) else { return nil }
        if at(last - 1) == "as" { return last }
        let before = last - 1
        let isOperand =
            isName(before) || at(before) == ")" || at(before) == "end" || tokens[before].kind == .parameter
            || tokens[before].kind == .quoted
        return isOperand ? last : nil
    }

    private static let keywords: Set<String> = [
        "and", "as", "asc", "between", "by", "case", "desc", "distinct", "else", "end", "escape", "exists", "false",
        "filter", "from", "in", "is", "like", "not", "null", "nulls", "or", "over", "then", "true", "when",
    ]

    /// A column's name, and neither a keyword, a number, a string, a call nor what a column's name is qualified by.
    private func isName(_ index: Int) -> Bool {
        guard words.indices.contains(index), at(index + 1) != "." else { return false }
        switch tokens[index].kind {
        case .quoted: return words[index].hasPrefix("\"")
        case .word:
            let isNumber = words[index].utf8.first.map { (48...57).contains($0) } ?? true
            return !isNumber && at(index + 1) != "("
                && (at(index - 1) == "." || !Self.keywords.contains(words[index]))
        case .table, .parameter, .comment, .punctuation: return false
        }
    }

    private func name(_ index: Int) -> String {
        let word = words[index]
        return word.hasPrefix("\"") ? String(word.dropFirst().dropLast()) : word
    }
}
