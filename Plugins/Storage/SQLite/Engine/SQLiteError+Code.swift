// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite

extension SQLiteError {
    /// What a result code of SQLite means to a caller. Its message is kept where it tells of the caller's statement.
    init(code: Int32, message: String) {
        switch code & 0xFF {
        case SQLITE_CONSTRAINT: self = Self.constraint(code >> 8, message)
        case SQLITE_ERROR, SQLITE_RANGE: self = .syntax("\(message).")
        case SQLITE_AUTH: self = SQLiteError(.permissionDenied, "sql.refused_statement", "\(message).")
        case SQLITE_MISMATCH: self = SQLiteError(.failedPrecondition, "sql.check", "\(message).")
        case SQLITE_INTERRUPT: self = .cancelled
        case SQLITE_BUSY, SQLITE_LOCKED:
            self = SQLiteError(.unavailable, "sql.busy", "Another process holds the database; try again.")
        case SQLITE_TOOBIG:
            self = SQLiteError(.outOfRange, "sql.too_large", "A value or a statement is larger than the engine takes.")
        case SQLITE_FULL: self = SQLiteError(.resourceExhausted, "sql.full", "The disk of the database is full.")
        case SQLITE_NOMEM: self = SQLiteError(.resourceExhausted, "sql.memory", "There is no memory for the statement.")
        case SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM:
            self = SQLiteError(.unavailable, "sql.open", "The database cannot be written: \(message).")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            self = SQLiteError(.dataLoss, "sql.corrupt", "The database is damaged: \(message).")
        default: self = SQLiteError(.internal, "sql.engine", "The engine failed with code \(code): \(message).")
        }
    }

    private static func constraint(_ kind: Int32, _ message: String) -> SQLiteError {
        switch kind {
        case 8, 6, 10:  // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY, _ROWID
            SQLiteError(.alreadyExists, "sql.unique", "\(message).")
        case 3:  // SQLITE_CONSTRAINT_FOREIGNKEY
            SQLiteError(.failedPrecondition, "sql.foreign_key", "\(message).")
        default:  // CHECK, NOTNULL, DATATYPE, and RAISE in a trigger
            SQLiteError(.failedPrecondition, "sql.check", "\(message).")
        }
    }
}
