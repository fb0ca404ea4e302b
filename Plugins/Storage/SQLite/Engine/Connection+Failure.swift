// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Glibc
import TheatreStorage

/// What went wrong, as callers hear it.
extension Connection {
    /// The error of the call that just failed with `code`.
    func failure(_ code: Int32) -> StorageError {
        if let refusal = authorizer.refusal, code & 0xFF == SQLITE_AUTH || code & 0xFF == SQLITE_ERROR {
            authorizer.refusal = nil
            return refusal
        }
        guard let handle else { return .closed }
        // Whoever has gone while a lock was waited for is told so.
        if code & 0xFF == SQLITE_BUSY, authorizer.isWanted?() == false { return .cancelled }
        let message = String(cString: sqlite3_errmsg(handle))
        if let foreign = authorizer.foreignTable(missing: message) { return foreign }
        // SQLite tells one that became so while the file was open as any other failure of the disk.
        let isReadOnly = code & 0xFF == SQLITE_IOERR && errorOfLog == EROFS
        let error = StorageError(code: isReadOnly ? SQLITE_READONLY : code, message: message)
        if error.reason == "sql.corrupt" { damage = error }
        return error
    }

    /// What the system said when the log could last not be written; 0 where it could. By the time that an error comes up,
    /// `errno` may be of something else.
    private var errorOfLog: Int32 {
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) == SQLITE_OK, let file,
            let methods = file.pointee.pMethods
        else { return 0 }
        var code: Int32 = 0
        let outcome = methods.pointee.xFileControl?(file, SQLITE_FCNTL_LAST_ERRNO, &code)
        return outcome == SQLITE_OK ? code : 0
    }

    /// What was found damaged since it was last asked.
    func takeDamage() -> StorageError? {
        defer { damage = nil }
        return damage
    }
}
