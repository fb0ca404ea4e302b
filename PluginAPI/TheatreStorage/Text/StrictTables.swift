// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Has the tables of a migration hold on SQLite what their columns' types say, as they do on PostgreSQL.
///
/// STRICT knows INT and not BIGINT. INT it is for INTEGER too, which as a primary key would give rows ids of its own.
struct StrictTables: TokenReading {
    let words: [String]
    let tokens: [SQLToken]

    static func edits(_ words: [String], _ tokens: [SQLToken]) -> TextEdits {
        let tables = StrictTables(words: words, tokens: tokens)
        var edits = TextEdits()
        for place in SQLTypes.places(words) where tables.at(place - 1) != "as" {
            if ["bigint", "integer", "boolean"].contains(words[place]) {
                edits.instead[tokens[place].range.lowerBound] = "INT"
            }
        }
        for (end, addition) in tables.ends() { edits.after[tokens[end].range.upperBound] = addition }
        return edits
    }

    /// Where the declarations of tables end, and what is said there.
    private func ends() -> [(Int, String)] {
        var found: [(Int, String)] = []
        for index in words.indices where at(index) == "create" && at(index + 1) == "table" {
            guard index == 0 || at(index - 1) == ";" else { continue }
            var opening = index + 2
            while opening < words.count, at(opening) != "(", at(opening) != ";" { opening += 1 }
            guard at(opening) == "(" else { continue }
            let end = closing(opening)
            if at(end + 1) == "without", at(end + 2) == "rowid" {
                found.append((end + 2, ", STRICT"))
            } else {
                found.append((end, " STRICT"))
            }
        }
        return found
    }
}
