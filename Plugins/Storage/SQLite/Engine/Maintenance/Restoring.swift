// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Glibc
import SwiftProtobuf
import Synchronization
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
        defer { close(lock) }
        try DatabaseFile.copy(backup, to: fresh)
        let digest = try DatabaseFile.digest(fresh)
        guard link(database, kept) == 0 else { throw DatabaseFile.failure("kept", database) }
        if lock.isOfFile { try keepLog() }
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

    /// What keeps everybody out.
    enum Lock {
        case connection(Connection)
        /// Of a file that SQLite cannot read.
        case file(Int32)

        /// The database is damaged.
        var isOfFile: Bool { if case .file = self { true } else { false } }

        fileprivate func close() {
            switch self {
            case .connection(let connection): connection.close()
            case .file(let descriptor): Glibc.close(descriptor)
            }
        }
    }

    /// Databases that this process restores: its own locks of a file do not keep itself out.
    private static let underWay = Mutex<Set<String>>([])

    /// Keeps everybody out until ``close(_:)``; FAILED_PRECONDITION `sql.in_use` where somebody is in.
    func exclusive() throws(StorageError) -> Lock {
        guard Self.underWay.withLock({ $0.insert(database).inserted }) else { throw Self.inUse }
        do throws(StorageError) {
            let lock = try locked()
            // Whoever replaced it meanwhile has left a lock on what it was.
            guard isInPlace(lock) else {
                lock.close()
                throw Self.inUse
            }
            return lock
        } catch {
            Self.underWay.withLock { _ = $0.remove(database) }
            throw error
        }
    }

    func close(_ lock: Lock) {
        lock.close()
        Self.underWay.withLock { _ = $0.remove(database) }
    }

    /// Whether what is locked is still the file at the database's path.
    private func isInPlace(_ lock: Lock) -> Bool {
        switch lock {
        case .connection(let connection):
            var hasMoved: Int32 = 0
            let code = sqlite3_file_control(connection.handle, "main", SQLITE_FCNTL_HAS_MOVED, &hasMoved)
            return code == SQLITE_OK && hasMoved == 0
        case .file(let descriptor):
            var (held, found) = (stat(), stat())
            guard fstat(descriptor, &held) == 0, stat(database, &found) == 0 else { return false }
            return held.st_ino == found.st_ino && held.st_dev == found.st_dev
        }
    }

    /// Folds the log into the database and keeps everybody out, which only the last one who has it open can.
    private func locked() throws(StorageError) -> Lock {
        let connection = try Connection(path: database, role: .copy)
        do throws(StorageError) {
            guard try connection.rows("PRAGMA journal_mode = DELETE").first?.values.first?.text == "delete" else {
                throw Self.inUse
            }
            try connection.execute("BEGIN EXCLUSIVE")
            return .connection(connection)
        } catch {
            connection.close()
            switch error.reason {
            case "sql.busy": throw Self.inUse
            case "sql.corrupt": return try lockFile()
            default: throw error
            }
        }
    }

    /// Locks the bytes of which every process that has the database open holds a part, whatever they contain.
    private func lockFile() throws(StorageError) -> Lock {
        let descriptor = open(database, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw DatabaseFile.failure("opened", database) }
        var range = flock()
        range.l_type = Int16(F_WRLCK)
        range.l_whence = Int16(SEEK_SET)
        // PENDING_BYTE, RESERVED_BYTE and the SHARED range of SQLite's file format.
        (range.l_start, range.l_len) = (0x4000_0000, 512)
        guard fcntl(descriptor, F_SETLK, &range) == 0 else {
            let error = errno == EAGAIN || errno == EACCES ? Self.inUse : DatabaseFile.failure("locked", database)
            Glibc.close(descriptor)
            throw error
        }
        return .file(descriptor)
    }

    /// A log that nobody could fold into the database stays with it: SQLite would apply it to the backup.
    private func keepLog() throws(StorageError) {
        if DatabaseFile.exists("\(database)-wal") {
            guard rename("\(database)-wal", "\(kept)-wal") == 0 else {
                throw DatabaseFile.failure("kept", "\(database)-wal")
            }
        }
        DatabaseFile.remove("\(database)-shm")
    }

    static let inUse = StorageError(
        .failedPrecondition, "sql.in_use",
        "Another process has the database open; stop the host, then restore.")
}
