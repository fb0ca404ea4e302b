// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreStorage

/// Lets the server itself refuse a statement that changed other than the expected number of rows, so that what follows
/// it can be sent along with it.
enum RowExpectation {
    /// What a refusal's message has before the number of rows.
    static let mark = "theatre rows changed: "

    /// `sql`, an INSERT, UPDATE or DELETE without RETURNING, as a statement that gives the number of rows it changed,
    /// or fails where that is another than `rows`; nil for what cannot be written so.
    static func wrapped(_ sql: String, rows: UInt32) -> String? {
        guard let tokens = try? SQLTokenizer.tokens(Array(sql.utf8)) else { return nil }
        let bytes = Array(sql.utf8)
        var first: String?
        for token in tokens where token.kind == .word {
            let word = asciiLowercased(String(decoding: bytes[token.range], as: UTF8.self))
            if first == nil { first = word }
            if word == "returning" { return nil }
        }
        guard let first, ["insert", "update", "delete"].contains(first) else { return nil }
        // A line of its own: the statement may end in a comment.
        return """
            WITH theatre_changed AS (\(sql)
            RETURNING 1) SELECT CASE WHEN COUNT(*) = \(rows) THEN COUNT(*)
            ELSE CAST('\(mark)' || COUNT(*) AS BIGINT) END FROM theatre_changed
            """
    }

    /// The error that the wrapped statement's failure stands for.
    static func failure(_ message: String) -> StorageError {
        let count = message.range(of: mark).map { message[$0.upperBound...].prefix { $0.isNumber } } ?? "other"
        return StorageError(
            .aborted, "sql.expectation", "Another number of rows should have changed than the \(count) that did.",
            retry: .never)
    }

    /// The error where `expected` rows should have changed.
    static func failure(expected: UInt32, changed: UInt32) -> StorageError {
        StorageError(
            .aborted, "sql.expectation", "\(expected) rows should have changed and \(changed) did.")
    }
}
