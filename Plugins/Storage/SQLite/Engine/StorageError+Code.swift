// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import TheatreStorage

extension StorageError {
    /// What a result code of SQLite means to a caller. Its message is kept where it tells of the caller's statement.
    init(code: Int32, message: String) {
        switch code & 0xFF {
        case SQLITE_CONSTRAINT: self = Self.constraint(code >> 8, message)
        case SQLITE_ERROR, SQLITE_RANGE: self = .syntax("\(message).")
        case SQLITE_AUTH: self = StorageError(.permissionDenied, "sql.refused_statement", "\(message).")
        case SQLITE_MISMATCH: self = StorageError(.failedPrecondition, "sql.check", "\(message).")
        case SQLITE_INTERRUPT: self = .cancelled
        case SQLITE_BUSY, SQLITE_LOCKED:
            self = StorageError(
                .unavailable, "sql.busy", "Another process holds the database; try again.", retry: .safe)
        case SQLITE_TOOBIG:
            self = StorageError(.outOfRange, "sql.too_large", "A value or a statement is larger than the engine takes.")
        case SQLITE_FULL:
            self = StorageError(
                .resourceExhausted, "sql.full", "The disk of the database is full; make room.",
                retry: .after(milliseconds: 1000))
        case SQLITE_NOMEM:
            self = StorageError(.resourceExhausted, "sql.memory", "There is no memory for the statement.")
        case SQLITE_READONLY:
            self = StorageError(
                .unavailable, "sql.read_only",
                "The database cannot be written: \(message); check the permissions of the file and its file system.",
                retry: .after(milliseconds: 1000))
        case SQLITE_CANTOPEN, SQLITE_PERM:
            self = StorageError(
                .unavailable, "sql.open", "The database cannot be opened: \(message).",
                retry: .after(milliseconds: 1000))
        case SQLITE_IOERR:
            self = StorageError(
                .unavailable, "sql.io", "The disk of the database failed with code \(code): \(message).",
                retry: .after(milliseconds: 1000))
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            self = StorageError(.dataLoss, "sql.corrupt", "The database is damaged: \(message).")
        default: self = StorageError(.internal, "sql.engine", "The engine failed with code \(code): \(message).")
        }
    }

    private static func constraint(_ kind: Int32, _ message: String) -> StorageError {
        switch kind {
        case 8, 6, 10:  // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY, _ROWID
            StorageError(.alreadyExists, "sql.unique", "\(message).")
        case 3:  // SQLITE_CONSTRAINT_FOREIGNKEY
            StorageError(.failedPrecondition, "sql.foreign_key", "\(message).")
        default:  // CHECK, NOTNULL, DATATYPE, and RAISE in a trigger
            StorageError(.failedPrecondition, "sql.check", "\(message).")
        }
    }
}
