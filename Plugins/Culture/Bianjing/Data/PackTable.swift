// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A word of the setting.
struct PackTerm: Equatable {
    var term: String
    var meaning: String
    var category: String
    var source: String
}

/// What should or should not be shown.
struct PackNorm: Equatable {
    /// visual, signage, costume, prop or naming.
    var kind: String
    var show: Bool
    var text: String
    var english: String
    var source: String
    /// Words that make it relevant.
    var cues: [String]
}

/// A rule against something.
struct PackTaboo: Equatable {
    var code: String
    var patterns: [String]
    /// violation, warning or suggestion.
    var severity: String
    var reason: String
    var instead: String
    /// Why, in English.
    var english: String
}

/// A place where a scene can stand.
struct PackStage: Equatable {
    var id: String
    var name: String
    var english: String
    var description: String
    var details: [String]
    var hours: [String]
    var source: String
    /// Words that put a scene here, the name among them.
    var cues: [String]
}

/// The words of the pack.
enum Vocabulary {
    /// All categories, in order.
    static let all = food + costume + streets + trades + festivals + titles + objects
}

/// Reads the pack's tables: a row a line, columns parted by bars, lists by slashes. Columns that lack stay empty.
enum PackTable {
    /// What stands before every section named as a source.
    static let book = "东京梦华录"

    static func terms(category: String, _ table: String) -> [PackTerm] {
        rows(table).map { row in
            PackTerm(term: row[0], meaning: row[1], category: category, source: source(row[2]))
        }
    }

    static func norms(kind: String, _ table: String) -> [PackNorm] {
        rows(table).map { row in
            PackNorm(
                kind: kind, show: row[0] == "+", text: row[1], english: row[2], source: source(row[3]),
                cues: list(row[4]))
        }
    }

    static func taboos(family: String, _ table: String) -> [PackTaboo] {
        rows(table).map { row in
            PackTaboo(
                code: "\(family).\(row[0])", patterns: list(row[2]), severity: severity(row[1]), reason: row[3],
                instead: row[4], english: row[5])
        }
    }

    static func stages(_ table: String) -> [PackStage] {
        rows(table).map { row in
            PackStage(
                id: row[0], name: row[1], english: row[2], description: row[3], details: list(row[4]),
                hours: list(row[5]),
                source: source(row[6]), cues: [row[1]] + list(row[7]))
        }
    }

    /// `v` is a violation, `w` a warning, anything else a suggestion.
    private static func severity(_ letter: String) -> String {
        letter == "v" ? "violation" : letter == "w" ? "warning" : "suggestion"
    }

    private static func source(_ section: String) -> String { section.isEmpty ? "" : "\(book)·\(section)" }

    private static func rows(_ table: String) -> [[String]] {
        table.split(separator: "\n").map { line in
            let columns = line.split(separator: "|", omittingEmptySubsequences: false).map { String($0) }
            return columns + Array(repeating: "", count: max(0, 8 - columns.count))
        }
    }

    private static func list(_ column: String) -> [String] { column.split(separator: "/").map { String($0) } }
}
