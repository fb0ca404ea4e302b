// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import TheatreStorage

extension Connection {
    /// Runs `body` in a transaction of its own: all of it or nothing.
    func transaction<Output>(_ kind: String = "IMMEDIATE", _ body: () throws -> Output) throws -> Output {
        try execute("BEGIN \(kind)")
        do {
            let output = try body()
            try execute("COMMIT")
            return output
        } catch {
            rollback()
            throw error
        }
    }

    /// Begins a transaction that reads, where there is none yet.
    func beginReading() throws(StorageError) {
        guard let handle else { throw .closed }
        if sqlite3_get_autocommit(handle) != 0 { try execute("BEGIN DEFERRED") }
    }

    /// Ends a transaction that only read.
    func endReading() {
        do throws(StorageError) { try execute("COMMIT") } catch { rollback() }
    }

    /// Whether a transaction is open. SQLite ends one by itself where it is interrupted or the disk fails.
    var isInTransaction: Bool { handle.map { sqlite3_get_autocommit($0) == 0 } ?? false }

    /// Refuses a transaction that leaves a reference to a row that is not there; a COMMIT would fail for all of its group.
    func checkDeferredKeys() throws(StorageError) {
        guard handle != nil else { throw .closed }
        guard status(SQLITE_DBSTATUS_DEFERRED_FKS) == 0 else {
            throw StorageError(.failedPrecondition, "sql.foreign_key", "FOREIGN KEY constraint failed.")
        }
    }

    /// Counts ``pagesWritten`` from here.
    func forgetPagesWritten() { _ = status(SQLITE_DBSTATUS_CACHE_WRITE, reset: true) }

    /// Pages that went to the log.
    var pagesWritten: Int32 { status(SQLITE_DBSTATUS_CACHE_WRITE) }

    private func status(_ what: Int32, reset: Bool = false) -> Int32 {
        guard let handle else { return 0 }
        var current: Int32 = 0
        var highest: Int32 = 0
        sqlite3_db_status(handle, what, &current, &highest, reset ? 1 : 0)
        return current
    }

    /// Ends the transaction, if SQLite has not done so by itself.
    func rollback() {
        guard let handle, sqlite3_get_autocommit(handle) == 0 else { return }
        authorizer.mode = .engine
        sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
    }
}
