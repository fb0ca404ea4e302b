// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Which engine a text is written for.
public enum Dialect: String, Sendable, Hashable, CaseIterable {
    /// SQLite 3.40 and later.
    case sqlite
    /// PostgreSQL 15 and later.
    case postgresql

    /// The type of integers, booleans, times and money.
    var integer: String { self == .sqlite ? "INTEGER" : "BIGINT" }
    /// The type of texts, compared byte by byte.
    var text: String { self == .sqlite ? "TEXT" : "TEXT COLLATE \"C\"" }
    /// The type of bytes.
    var blob: String { self == .sqlite ? "BLOB" : "BYTEA" }
    /// What ends a table that is reached by its primary key only.
    var byKey: String { self == .sqlite ? " WITHOUT ROWID" : "" }
    /// The time of leases, in milliseconds: the database's own clock where there is one, so that hosts need not agree on
    /// the time; else the host's, bound as `parameter`.
    ///
    /// It stands still while a statement runs, so an index serves it. A statement that waited for a row gives a lease
    /// that much shorter, never longer.
    func clock(_ parameter: String) -> String {
        switch self {
        case .sqlite: parameter
        // Named too, so that the parameter has a type and a use.
        case .postgresql:
            "(CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT) + 0 * CAST(\(parameter) AS BIGINT))"
        }
    }

    /// Ends a selection of rows that this statement changes: another transaction's are passed over.
    var skipLocked: String { self == .sqlite ? "" : " FOR UPDATE SKIP LOCKED" }

    /// `sql` with its parameters `?N` as this engine names them.
    ///
    /// For a ``HostStatement``'s text, which has no question mark in a string or a comment.
    public func parameters(in sql: String) -> String {
        guard self == .postgresql else { return sql }
        return String(decoding: sql.utf8.map { $0 == UInt8(ascii: "?") ? UInt8(ascii: "$") : $0 }, as: UTF8.self)
    }

    /// The name of a parameter of the engine.
    func parameter(_ number: Int) -> String { self == .sqlite ? "?\(number)" : "$\(number)" }
}
