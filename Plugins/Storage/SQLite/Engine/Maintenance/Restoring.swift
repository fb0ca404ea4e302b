// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// A backup put in the place of a database that nobody has open.
struct Restoring {
    /// The database's path.
    let database: String
    /// The backup's path.
    let backup: String
    /// Milliseconds since 1970, for the name of what is kept.
    let now: Int64

    /// Where the replaced database is kept.
    var kept: String { "\(database).before-restore-\(now)" }

    /// Refuses a file that is no backup.
    func check() throws(StorageError) {
        try DatabaseFile.check(absolute: backup)
        guard DatabaseFile.exists(backup) else {
            throw StorageError(.notFound, "sql.no_file", "\(backup) does not exist.", detail: "/path")
        }
        let notBackup = StorageError(
            .failedPrecondition, "sql.not_a_backup", "\(backup) is no undamaged backup of this plugin; verify it.",
            detail: "/path")
        do {
            let connection = try Connection(path: backup, role: .archive)
            defer { connection.close() }
            guard try Verification.run(on: connection).findings.isEmpty else { throw notBackup }
        } catch { throw notBackup }
    }

    /// Replaces the database; every connection of this process is closed. The last message says `done`.
    ///
    /// FAILED_PRECONDITION `sql.in_use` where another process has it open. A crash leaves either database whole.
    func run() throws(StorageError) -> SQLBackupProgress {
        let fresh = database + ".restoring"
        let lock = try exclusive()
        defer { lock.close() }
        try DatabaseFile.copy(backup, to: fresh)
        let digest = try DatabaseFile.digest(fresh)
        guard link(database, kept) == 0 else { throw DatabaseFile.failure("kept", database) }
        guard rename(fresh, database) == 0 else { throw DatabaseFile.failure("replaced", database) }
        try DatabaseFile.sync(DatabaseFile.folder(of: database), isFolder: true)
        let connection = try Connection(path: database, role: .archive)
        defer { connection.close() }
        let pages = try connection.rows("PRAGMA page_count").first?.values.first?.integer ?? 0
        return .with {
            $0.copied = pages
            $0.total = pages
            $0.done = true
            $0.sha256 = digest
        }
    }

    /// Folds the log into the database and keeps everybody out, which only the last one who has it open can.
    private func exclusive() throws(StorageError) -> Connection {
        let connection = try Connection(path: database, role: .copy)
        do throws(StorageError) {
            guard try connection.rows("PRAGMA journal_mode = DELETE").first?.values.first?.text == "delete" else {
                throw Self.inUse
            }
            try connection.execute("BEGIN EXCLUSIVE")
            return connection
        } catch {
            connection.close()
            throw error.reason == "sql.busy" ? Self.inUse : error
        }
    }

    static let inUse = StorageError(
        .failedPrecondition, "sql.in_use",
        "Another process has the database open; stop the host, then restore.")
}
