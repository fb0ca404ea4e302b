// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What of SQL means the same on every engine.
///
/// The check is of words, not of grammar: what it lets through and an engine does not know is that engine's `sql.syntax`.
public enum PortableSubset {
    /// Functions that mean the same everywhere.
    public static let functions: Set<String> = [
        "abs", "avg", "cast", "coalesce", "count", "dense_rank", "first_value", "lag", "last_value", "lead", "length",
        "lower", "ltrim", "max", "min", "nullif", "rank", "replace", "row_number", "rtrim", "substr", "sum", "trim",
        "upper",
    ]

    /// Refuses a text that has something else.
    ///
    /// INVALID_ARGUMENT `sql.not_portable`; the message has line and column.
    public static func check(_ source: String, isMigration: Bool) throws(StorageError) {
        let bytes = Array(source.utf8)
        try check(source, bytes, try SQLTokenizer.tokens(bytes), isMigration: isMigration)
    }

    static func check(_ source: String, _ bytes: [UInt8], _ tokens: [SQLToken], isMigration: Bool) throws(StorageError)
    {
        var reader = PortableReader(bytes: bytes, tokens: tokens.filter { $0.kind != .comment })
        guard let finding = reader.finding(isMigration: isMigration) ?? nestedComment(bytes, tokens) else { return }
        let before = bytes[..<finding.position]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let lineStart = (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
        let column = String(decoding: before[lineStart...], as: UTF8.self).count + 1
        throw StorageError(
            .invalidArgument, "sql.not_portable",
            "Line \(line), column \(column): \(finding.what) is not in the portable subset; \(finding.instead).")
    }

    /// A comment in a comment: PostgreSQL has it end twice.
    private static func nestedComment(_ bytes: [UInt8], _ tokens: [SQLToken]) -> PortableReader.Finding? {
        let (slash, star) = (UInt8(ascii: "/"), UInt8(ascii: "*"))
        for token in tokens where token.kind == .comment && bytes[token.range.lowerBound] == slash {
            let inside = token.range.dropFirst(2).dropLast(2)
            if let place = inside.first(where: { bytes[$0] == slash && bytes[$0 + 1] == star }) {
                return PortableReader.Finding(
                    position: place, what: "A comment in a comment", instead: "end the first one")
            }
        }
        return nil
    }

    /// What PostgreSQL reserves and SQLite does not: as a name of a column it must be quoted.
    static let reserved: Set<String> = [
        "analyse", "array", "asymmetric", "authorization", "binary", "concurrently", "freeze", "localtime",
        "localtimestamp", "only", "overlaps", "placing", "session_user", "similar", "symmetric", "tablesample", "user",
        "variadic", "verbose",
    ]

    /// Words that are refused wherever they stand as words, and what to write instead.
    static let words: [String: String] = [
        "glob": "use LIKE", "regexp": "use LIKE", "match": "use a block for one engine",
        "collate": "text is compared by bytes",
        "ilike": "compare lower(…)", "autoincrement": "make the id yourself, such as a ULID",
        "strict": "leave it out", "rowid": "name a column of your own", "_rowid_": "name a column of your own",
        "oid": "name a column of your own", "isnull": "write IS NULL", "notnull": "write IS NOT NULL",
        "indexed": "leave it out", "pragma": "use a block for one engine", "trigger": "use a block for one engine",
        "virtual": "use a block for one engine", "temp": "use a table of your own",
        "temporary": "use a table of your own",
        "lateral": "write a join", "ctid": "name a column of your own", "true": "write 1", "false": "write 0",
        "current_timestamp": "send the time as a parameter", "current_date": "send the time as a parameter",
        "current_time": "send the time as a parameter", "generated": "compute it when you write",
        "materialized": "leave it out", "raise": "use CHECK", "full": "write two queries",
        "natural": "name the columns",
        "serial": "make the id yourself, such as a ULID", "bigserial": "make the id yourself, such as a ULID",
    ]

    /// Words that a parenthesis may follow without being the name of a function.
    static let keywords: Set<String> = [
        "select", "from", "where", "and", "or", "not", "in", "exists", "values", "on", "using", "when", "then", "else",
        "case", "by", "as", "over", "partition", "check", "key", "unique", "references", "set", "returning", "having",
        "union", "all", "except", "intersect", "limit", "offset", "between", "like", "is", "with", "join", "into",
        "default", "conflict", "distinct", "filter", "primary", "table", "index", "add", "column", "constraint", "any",
        "some", "order", "group", "do", "update", "insert", "delete", "escape", "recursive",
    ]
}

/// Reads the tokens of a text from left to right.
private struct PortableReader {
    struct Finding {
        var position: Int
        var what: String
        var instead: String
    }

    let bytes: [UInt8]
    let tokens: [SQLToken]

    private func text(_ index: Int) -> String {
        guard tokens.indices.contains(index) else { return "" }
        return asciiLowercased(String(decoding: bytes[tokens[index].range], as: UTF8.self))
    }

    mutating func finding(isMigration: Bool) -> Finding? {
        var words: [String] = []
        words.reserveCapacity(tokens.count)
        for index in tokens.indices { words.append(text(index)) }
        let types = isMigration ? Set(SQLTypes.places(words)) : Set(SQLTypes.places(words))
        for index in tokens.indices {
            let found: (String, String)? =
                switch tokens[index].kind {
                case .quoted: quoted(index, words)
                case .word: types.contains(index) ? type(index, words) : word(index, words)
                case .punctuation: punctuation(index, words)
                case .table, .parameter, .comment: nil
                }
            if let found { return Finding(position: tokens[index].range.lowerBound, what: found.0, instead: found.1) }
        }
        if let found = MeaningChecks(words: words, tokens: tokens).finding() {
            return Finding(
                position: tokens[found.index].range.lowerBound, what: found.what, instead: found.instead)
        }
        guard let loose = GroupedSelects(words: words, tokens: tokens).finding() else { return nil }
        return Finding(
            position: tokens[loose.index].range.lowerBound,
            what: "A column that is neither grouped nor aggregated (\(loose.name.prefix(40)))",
            instead: "name it in GROUP BY, or write max(…) where any will do")
    }

    private func quoted(_ index: Int, _ words: [String]) -> (String, String)? {
        switch bytes[tokens[index].range.lowerBound] {
        case 0x60: ("A name in backquotes", "write it plainly or in double quotes")
        case UInt8(ascii: "["): ("A name in brackets", "write it plainly or in double quotes")
        case UInt8(ascii: "'")
        where index > 0 && ["x", "e", "b", "n", "u"].contains(words[index - 1])
            && tokens[index - 1].range.upperBound == tokens[index].range.lowerBound:
            ("A literal with a letter before it", "send the value as a parameter")
        default: nil
        }
    }

    private func type(_ index: Int, _ words: [String]) -> (String, String)? {
        guard SQLTypes.names.contains(words[index]) else {
            return ("The type \(words[index].prefix(40))", "use BIGINT, INTEGER, TEXT, BLOB, REAL or BOOLEAN")
        }
        if at(words, index + 1) == "(" { return ("A type with a length", "use CHECK") }
        if words[index] == "integer", at(words, index + 1) == "primary" {
            return ("INTEGER PRIMARY KEY", "write BIGINT NOT NULL PRIMARY KEY and give each row its id")
        }
        return nil
    }

    private func word(_ index: Int, _ words: [String]) -> (String, String)? {
        let word = words[index]
        let before = at(words, index - 1)
        // Behind a point or before a type it is the name of a column.
        if before == "." { return nil }
        if word == "rowid", before == "without" { return nil }
        if let instead = PortableSubset.words[word], before != "as" {
            return ("\(word.uppercased())", instead)
        }
        if PortableSubset.reserved.contains(word) {
            return ("The name \(word)", "PostgreSQL reserves it: put it in double quotes or choose another")
        }
        switch word {
        case "replace" where index == 0 || before == ";": return ("REPLACE", "use INSERT … ON CONFLICT … DO UPDATE")
        case "or" where before == "insert" || before == "update":
            return ("\(before.uppercased()) OR", "use ON CONFLICT")
        case "is": return comparison(index, words)
        case "union", "intersect", "except": return nil
        default: return at(words, index + 1) == "(" ? call(index, words) : nil
        }
    }

    /// IS compares with NULL and nothing else on PostgreSQL.
    private func comparison(_ index: Int, _ words: [String]) -> (String, String)? {
        var next = index + 1
        if at(words, next) == "not" { next += 1 }
        guard at(words, next) != "null" else { return nil }
        if at(words, next) == "distinct", at(words, next + 1) == "from" { return nil }
        return ("IS between values", "write IS NOT DISTINCT FROM")
    }

    private func call(_ index: Int, _ words: [String]) -> (String, String)? {
        let word = words[index]
        if PortableSubset.keywords.contains(word) || !isCalled(index, words) { return nil }
        guard PortableSubset.functions.contains(word) else {
            return ("The function \(word.prefix(40))", "compute it in the plugin")
        }
        if word == "max" || word == "min", arguments(behind: index + 1, words) > 1 {
            return ("\(word.uppercased()) of several values", "write CASE WHEN … THEN … ELSE … END")
        }
        return nil
    }

    /// A name before a parenthesis is no call where it names a table or a common table expression.
    private func isCalled(_ index: Int, _ words: [String]) -> Bool {
        let before = at(words, index - 1)
        if ["into", "table", "references", "on", "index", "constraint", "exists", "recursive"].contains(before) {
            return PortableSubset.functions.contains(words[index]) || before == "on"
        }
        // WITH a (x) AS (…), b (y) AS (…)
        return
            !(["with", ","].contains(before) && at(words, closing(index + 1, words) + 1) == "as"
            && at(words, closing(index + 1, words) + 2) == "(")
    }

    private func closing(_ opening: Int, _ words: [String]) -> Int {
        var depth = 0
        for index in opening..<words.count {
            if words[index] == "(" { depth += 1 }
            if words[index] == ")" {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return words.count
    }

    private func arguments(behind opening: Int, _ words: [String]) -> Int {
        var depth = 0
        var count = 1
        for index in opening..<words.count {
            switch words[index] {
            case "(": depth += 1
            case ")":
                depth -= 1
                if depth == 0 { return count }
            case "," where depth == 1: count += 1
            default: continue
            }
        }
        return count
    }

    private func punctuation(_ index: Int, _ words: [String]) -> (String, String)? {
        let word = words[index]
        switch word {
        case "=" where at(words, index - 1) == "=" && touches(index): return ("==", "write =")
        case ">" where at(words, index - 1) == "-" && touches(index):
            return ("->", "read the JSON in the plugin")
        case "@@": return ("The operator @@", "use a statement for one engine")
        case "&", "^", "~", "#": return ("The operator \(word)", "compute it in the plugin")
        case "|" where at(words, index - 1) != "|" && at(words, index + 1) != "|":
            return ("The operator |", "compute it in the plugin")
        case "," where isLimit(index, words): return ("LIMIT with a comma", "write LIMIT … OFFSET …")
        case ":" where at(words, index - 1) == ":": return ("::", "write CAST(… AS …)")
        default: return nil
        }
    }

    private func touches(_ index: Int) -> Bool {
        index > 0 && tokens[index - 1].range.upperBound == tokens[index].range.lowerBound
    }

    private func isLimit(_ index: Int, _ words: [String]) -> Bool { at(words, index - 2) == "limit" }

    private func at(_ words: [String], _ index: Int) -> String { words.indices.contains(index) ? words[index] : "" }
}
