// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What is put around tokens and in their place, by where they begin and end in the text.
struct TextEdits {
    var before: [Int: String] = [:]
    var after: [Int: String] = [:]
    var instead: [Int: String] = [:]
}

/// Has a statement of the portable subset mean on PostgreSQL what it means on SQLite, where the two answer otherwise:
///
/// - a text in quotes is a text, compared byte by byte in a database of any collation; `lower` and `upper` know ASCII;
/// - a backslash in a pattern of LIKE is a letter, unless ESCAPE says more;
/// - the sum of integers is one, of 64 bits, so that its division is whole; an average is a double;
/// - integers that are written out are of 64 bits;
/// - CAST to an integer cuts off what is behind the point, and reads a text as far as it is a number.
///
/// The functions ``sum`` and ``integer`` are the engine's: it makes them in each schema, see ``functions``.
public struct ServerMeaning: TokenReading {
    /// The name of the function around a sum.
    public static let sum = "theatre_sum"
    /// The name of the function in place of CAST(… AS BIGINT).
    public static let integer = "theatre_integer"

    /// The statements that make the functions in the schema of this name, which stands in double quotes.
    public static func functions(in schema: String) -> [String] {
        let cut = "substring($1 FROM '^[ \\t\\n\\r\\f\\v]*([+-]?[0-9]+)')"
        let bodies: [(String, String, String, String)] = [
            (sum, "NUMERIC", "BIGINT", "CAST($1 AS BIGINT)"),
            (sum, "DOUBLE PRECISION", "DOUBLE PRECISION", "$1"),
            (integer, "BIGINT", "BIGINT", "$1"),
            (integer, "INTEGER", "BIGINT", "CAST($1 AS BIGINT)"),
            (integer, "NUMERIC", "BIGINT", "CAST(trunc($1) AS BIGINT)"),
            (integer, "DOUBLE PRECISION", "BIGINT", "CAST(trunc($1) AS BIGINT)"),
            (integer, "BOOLEAN", "BIGINT", "CAST(CAST($1 AS INTEGER) AS BIGINT)"),
            (
                integer, "TEXT", "BIGINT",
                "CASE WHEN $1 IS NOT NULL THEN coalesce(CAST(\(cut) AS BIGINT), 0) END"
            ),
        ]
        return bodies.map { name, type, result, body in
            """
            CREATE OR REPLACE FUNCTION "\(schema)".\(name)(\(type)) RETURNS \(result) LANGUAGE sql IMMUTABLE PARALLEL SAFE
            AS $body$ SELECT \(body) $body$
            """
        }
    }

    /// How many functions there are of these names.
    public static var functionCount: Int { functions(in: "").count }

    let words: [String]
    let tokens: [SQLToken]
    private var edits = TextEdits()
    /// Behind everything else that is put behind a token.
    private var escapes: [Int: String] = [:]

    init(words: [String], tokens: [SQLToken]) {
        self.words = words
        self.tokens = tokens
    }

    /// What is to be changed in a statement; `inSchema`: in a migration, whose indexes and rules are not rewritten.
    static func edits(_ words: [String], _ tokens: [SQLToken], inSchema: Bool) -> TextEdits {
        var meaning = ServerMeaning(words: words, tokens: tokens)
        for index in words.indices { meaning.edit(index, inSchema: inSchema) }
        for (index, escape) in meaning.escapes { meaning.edits.after[index, default: ""] += escape }
        var placed = TextEdits()
        for (index, text) in meaning.edits.before { placed.before[tokens[index].range.lowerBound] = text }
        for (index, text) in meaning.edits.after { placed.after[tokens[index].range.upperBound] = text }
        for (index, text) in meaning.edits.instead { placed.instead[tokens[index].range.lowerBound] = text }
        return placed
    }

    private mutating func edit(_ index: Int, inSchema: Bool) {
        if isString(index) {
            if !inSchema { wrap(index, index, "(", " COLLATE \"C\")") }
            return
        }
        guard isWord(index), at(index - 1) != "." else { return }
        if isWholeNumber(index) {
            guard !inSchema, isArithmetic(index + 1) || isArithmetic(index - 1) || isSelected(index) else { return }
            wrap(index, index, "CAST(", " AS BIGINT)")
            return
        }
        if words[index] == "like" {
            let end = pattern(behind: index)
            if end > index, at(end + 1) != "escape" { escapes[end] = " ESCAPE ''" }
            return
        }
        guard at(index + 1) == "(" else { return }
        let end = closing(index + 1)
        switch words[index] {
        case "sum": wrap(index, pastWindow(end), "\(Self.sum)(", ")")
        case "avg": wrap(index, pastWindow(end), "CAST(", " AS DOUBLE PRECISION)")
        case "lower" where !inSchema, "upper" where !inSchema:
            edits.after[index + 1, default: ""] += "("
            edits.before[end] = ") COLLATE \"C\"" + (edits.before[end] ?? "")
        case "cast" where !inSchema: cast(index, end)
        default: break
        }
    }

    private mutating func wrap(_ first: Int, _ last: Int, _ before: String, _ after: String) {
        edits.before[first, default: ""] += before
        edits.after[last, default: ""] += after
    }

    /// Whether it is by itself one of what a SELECT gives; elsewhere it may be a place in that list.
    private func isSelected(_ index: Int) -> Bool {
        guard ["select", "distinct", "all", ","].contains(at(index - 1)) else { return false }
        var place = index - 1
        while place >= 0, at(place) != "(" {
            if at(place) == ")" { place = opening(place) }
            if at(place) == "select" { return true }
            if ["by", "from", "where", "values", "set", "having"].contains(at(place)) { return false }
            place -= 1
        }
        return false
    }

    private func opening(_ closing: Int) -> Int {
        var depth = 0
        for index in (0...closing).reversed() {
            if words[index] == ")" { depth += 1 }
            if words[index] == "(" {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return 0
    }

    private mutating func cast(_ index: Int, _ end: Int) {
        guard at(end - 2) == "as" else { return }
        switch at(end - 1) {
        case "integer", "bigint", "boolean":
            // A parameter by itself takes its type from this, which a NULL has need of.
            guard end > index + 5 || tokens[index + 2].kind != .parameter else { return }
            edits.instead[index] = Self.integer
            edits.instead[end - 2] = ""
            edits.instead[end - 1] = ""
        case "text": edits.after[end, default: ""] += " COLLATE \"C\""
        default: break
        }
    }

    /// The last token of the pattern that follows LIKE.
    private func pattern(behind like: Int) -> Int {
        var index = like + 1
        while index < words.count {
            while ["+", "-"].contains(at(index)) { index += 1 }
            if at(index) == "(" {
                index = closing(index)
            } else if at(index) == "case" {
                index = endOfCase(index)
            } else {
                while at(index + 1) == "." { index += 2 }
                if isWord(index), at(index + 1) == "(" { index = closing(index + 1) }
            }
            if at(index + 1) == "|", at(index + 2) == "|" {
                index += 3
            } else if ["+", "-", "*", "/", "%"].contains(at(index + 1)) {
                index += 2
            } else {
                break
            }
        }
        return min(index, words.count - 1)
    }

    private func endOfCase(_ start: Int) -> Int {
        var depth = 0
        for index in start..<words.count where isWord(index) && at(index - 1) != "." {
            if words[index] == "case" { depth += 1 }
            if words[index] == "end" {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return words.count - 1
    }
}
