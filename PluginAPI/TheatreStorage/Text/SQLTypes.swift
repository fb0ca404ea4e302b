// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The types of the portable subset, and what an engine calls them.
enum SQLTypes {
    /// In lower case.
    static let names: Set<String> = ["integer", "bigint", "text", "blob", "real", "boolean"]

    /// What stands on PostgreSQL in place of words, by their index: types, and what that engine does not have.
    static func replacements(in words: [String]) -> [Int: String] {
        var replaced: [Int: String] = [:]
        let types = Set(places(words))
        for (place, word) in words.enumerated() {
            if types.contains(place), let name = postgreSQL(word, isCast: place > 0 && words[place - 1] == "as") {
                replaced[place] = name
            } else if word == "rowid", place > 0, words[place - 1] == "without" {
                replaced[place - 1] = ""
                replaced[place] = ""
            }
        }
        return replaced
    }

    private static func postgreSQL(_ name: String, isCast: Bool) -> String? {
        switch name {
        case "integer", "bigint", "boolean": "BIGINT"
        case "blob": "BYTEA"
        case "real": "DOUBLE PRECISION"
        // A cast's type has no collation of its own.
        case "text": isCast ? "TEXT" : "TEXT COLLATE \"C\""
        default: nil
        }
    }

    /// Where types stand: behind the name of a column in CREATE TABLE and ALTER TABLE ADD, and behind AS in CAST.
    static func places(_ words: [String]) -> [Int] {
        var found: [Int] = []
        var start = 0
        var depth = 0
        var casts: [Int] = []
        for (place, word) in words.enumerated() {
            switch word {
            case ";":
                start = place + 1
                depth = 0
                casts = []
            case "(":
                depth += 1
                if place > 0, words[place - 1] == "cast" { casts.append(depth) }
            case ")":
                if casts.last == depth { casts.removeLast() }
                depth -= 1
            default:
                if place > 0, words[place - 1] == "as", casts.last == depth {
                    found.append(place)
                } else if isColumnType(words, place, start: start, depth: depth) {
                    found.append(place)
                }
            }
        }
        return found
    }

    private static func isColumnType(_ words: [String], _ place: Int, start: Int, depth: Int) -> Bool {
        guard place >= start + 4, isName(words[place]), isName(words[place - 1]) else { return false }
        if words[start] == "create", words[start + 1] == "table" {
            let before = words[place - 2]
            return depth == 1 && (before == "(" || before == ",") && !constraints.contains(words[place - 1])
        }
        if words[start] == "alter", words[start + 1] == "table", depth == 0 {
            return words[place - 2] == "add" && words[place - 1] != "column"
                || words[place - 2] == "column" && words[place - 3] == "add"
        }
        return false
    }

    private static func isName(_ word: String) -> Bool {
        guard let first = word.utf8.first else { return false }
        return first == UInt8(ascii: "\"") || first == UInt8(ascii: "_") || first >= 0x80
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
    }

    private static let constraints: Set<String> = ["primary", "unique", "check", "foreign", "constraint"]
}
