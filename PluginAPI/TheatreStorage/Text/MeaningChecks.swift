// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Finds what both engines may take and understand differently, and what one of them takes by being lenient.
struct MeaningChecks: TokenReading {
    /// What is wrong, at which token, and what to write instead.
    struct Finding {
        var index: Int
        var what: String
        var instead: String
    }

    let words: [String]
    let tokens: [SQLToken]

    func finding() -> Finding? {
        for index in words.indices {
            if let (what, instead) = tokens[index].kind == .punctuation ? punctuation(index) : word(index) {
                return Finding(index: index, what: what, instead: instead)
            }
        }
        return columnWithoutType() ?? sorting()
    }

    private func word(_ index: Int) -> (String, String)? {
        guard isWord(index), at(index - 1) != "." else { return nil }
        if isWholeNumber(index), Int64(words[index]) == nil {
            return ("An integer of more than 64 bits", "send it as a double, or as a text")
        }
        switch words[index] {
        case "in" where at(index + 1) == "(": return list(index)
        case "limit" where at(index + 1) == "-", "offset" where at(index + 1) == "-":
            return ("A negative \(words[index].uppercased())", "leave it out")
        case "substr" where at(index + 1) == "(": return substring(index)
        case "between" where isString(index + 1) && isNumber(index - 1) || isNumber(index + 1) && isString(index - 1):
            return Self.mixed
        default: return nil
        }
    }

    private static let mixed = (
        "A comparison of a number with a text", "compare numbers with numbers, written without quotes"
    )

    private func list(_ index: Int) -> (String, String)? {
        if at(index + 2) == ")" { return ("IN with nothing in it", "leave the condition out") }
        guard isNumber(index - 1), at(index - 2) != "." else {
            return isString(index - 1) && isNumber(index + 2) ? Self.mixed : nil
        }
        return isString(index + 2) ? Self.mixed : nil
    }

    /// A literal start of 0 or less.
    private func substring(_ index: Int) -> (String, String)? {
        var (depth, place) = (0, index + 1)
        while place < words.count {
            if words[place] == "(" { depth += 1 }
            if words[place] == ")" { depth -= 1 }
            if depth == 0 || words[place] == "," && depth == 1 { break }
            place += 1
        }
        guard at(place) == ",", at(place + 1) == "-" || at(place + 1) == "0" && isWholeNumber(place + 1) else {
            return nil
        }
        return ("SUBSTR from a place before the first", "count from 1, or cut it in the plugin")
    }

    private func punctuation(_ index: Int) -> (String, String)? {
        switch words[index] {
        case "/", "%":
            guard at(index + 1) == "0", isWholeNumber(index + 1) else { return nil }
            return ("Division by zero", "divide by something else")
        case "=", "<", ">":
            var (left, right) = (index - 1, index + 1)
            if ["<", ">", "!"].contains(at(left)), touches(index) { left -= 1 }
            if ["=", ">"].contains(at(right)), touches(right) { return nil }
            if ["-", "+"].contains(at(right)) { right += 1 }
            guard isString(left) && isNumber(right) || isLoneNumber(left) && isString(right) else { return nil }
            return Self.mixed
        default: return nil
        }
    }

    /// A number that is not the end of something computed with a text.
    private func isLoneNumber(_ index: Int) -> Bool {
        isNumber(index) && !(at(index - 1) == "|" && at(index - 2) == "|")
    }

    // MARK: Tables

    private static let constraints: Set<String> = ["primary", "unique", "check", "foreign", "constraint"]

    /// A column that CREATE TABLE or ALTER TABLE ADD gives no type.
    private func columnWithoutType() -> Finding? {
        for index in words.indices where at(index + 1) == "table" && (index == 0 || at(index - 1) == ";") {
            var place = index + 2
            if words[index] == "alter" {
                while place < words.count, at(place) != ";", at(place) != "add" { place += 1 }
                guard at(place) == "add" else { continue }
                place += at(place + 1) == "column" ? 2 : 1
                if let found = withoutType(place) { return found }
            } else if words[index] == "create" {
                while place < words.count, at(place) != "(", at(place) != ";", at(place) != "as" { place += 1 }
                if at(place) == "as" {
                    return Finding(
                        index: place, what: "CREATE TABLE … AS",
                        instead: "declare the columns, and fill them with INSERT … SELECT")
                }
                if let found = columnWithoutType(in: place) { return found }
            }
        }
        return nil
    }

    private func columnWithoutType(in opening: Int) -> Finding? {
        guard at(opening) == "(" else { return nil }
        let end = closing(opening)
        var (depth, isStart) = (0, false)
        for place in opening..<end {
            if isStart, !Self.constraints.contains(words[place]), let found = withoutType(place) { return found }
            isStart = depth == 0 && words[place] == "(" || depth == 1 && words[place] == ","
            if words[place] == "(" { depth += 1 }
            if words[place] == ")" { depth -= 1 }
        }
        return nil
    }

    private func withoutType(_ name: Int) -> Finding? {
        let next = at(name + 1)
        guard
            [",", ")", ";", "", "not", "null", "default", "references", "primary", "unique", "check", "constraint"]
                .contains(next)
        else { return nil }
        return Finding(
            index: name, what: "A column without a type (\(at(name).prefix(40)))",
            instead: "use BIGINT, INTEGER, TEXT, BLOB, REAL or BOOLEAN")
    }

    // MARK: Order

    /// SELECT DISTINCT sorted by what it does not select.
    private func sorting() -> Finding? {
        for index in words.indices where words[index] == "select" && isWord(index) && at(index + 1) == "distinct" {
            var (place, depth, from, selected): (Int, Int, Int?, Set<String>) = (index + 2, 0, nil, [])
            while place < words.count, words[place] != ";", words[place] != ")" || depth > 0 {
                if words[place] == "(" { depth += 1 }
                if words[place] == ")" { depth -= 1 }
                if depth == 0 {
                    if words[place] == "from", from == nil { from = place }
                    if ["union", "except", "intersect"].contains(words[place]) { break }
                    if words[place] == "order", at(place + 1) == "by", let found = unselected(place + 2, selected) {
                        return found
                    }
                }
                if from == nil { selected.insert(words[place]) }
                place += 1
            }
        }
        return nil
    }

    private func unselected(_ start: Int, _ selected: Set<String>) -> Finding? {
        guard !selected.contains("*") else { return nil }
        var place = start
        while place < words.count, !["limit", "offset", ")", ";"].contains(words[place]) {
            // The names of terms; what a call or a qualifier is, its arguments tell.
            let isPlain =
                isWord(place) && !isNumber(place) && !["asc", "desc", "nulls", "first", "last"].contains(words[place])
            if isPlain, at(place + 1) != "(", at(place + 1) != ".",
                at(place - 1) == "," || place == start || at(place - 1) == ".",
                !selected.contains(words[place])
            {
                return Finding(
                    index: place, what: "DISTINCT sorted by what is not selected (\(words[place].prefix(40)))",
                    instead: "select it too")
            }
            place += 1
        }
        return nil
    }
}
