// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import SwiftProtobuf
import TheatreContracts
import TheatreStorage

extension Engine {
    /// Copies one snapshot of the database, a piece at a time, while it is read and written; tells `send` how far it is.
    ///
    /// The copy has its name once it is complete and on disk, and not before.
    func backup(
        to path: String, for scope: CallerScope, send: @escaping @Sendable (SQLBackupProgress) async throws -> Void
    ) async throws {
        try DatabaseFile.check(absolute: path)
        guard !DatabaseFile.exists(path) else { throw DatabaseFile.alreadyThere(path) }
        let partial = path + ".partial"
        let reading = try await streams.take(waiting: options.streamWaitMilliseconds)
        defer { streams.give(back: reading) }
        do {
            try await readers.run(for: scope) { _ in
                DatabaseFile.remove(partial)
                try reading.beginBackup(to: partial)
            }
            while true {
                let progress = try await readers.run(for: scope) { _ in try reading.continueBackup() }
                if progress.done { break }
                try await send(progress)
            }
            let last = try await readers.run(for: scope) { _ in
                var progress = try reading.finishBackup()
                try DatabaseFile.sync(partial)
                progress.sha256 = try DatabaseFile.digest(partial)
                try DatabaseFile.publish(partial, as: path)
                return progress
            }
            try await send(last)
        } catch {
            await readers.finish { _ in
                reading.abandonBackup()
                DatabaseFile.remove(partial)
            }
            throw error
        }
    }
}

/// A copy of a database being made page by page.
final class BackupCopy {
    private let target: Connection
    private var backup: OpaquePointer?

    init(from source: Connection, to path: String) throws(StorageError) {
        target = try Connection(path: path, role: .copy)
        // Held to the end, the snapshot cannot change: a change would begin the copy anew.
        try source.beginReading()
        try source.rows("SELECT COUNT(*) FROM sqlite_schema")
        backup = sqlite3_backup_init(target.handle, "main", source.handle, "main")
        guard backup != nil else { throw target.failure(sqlite3_errcode(target.handle)) }
    }

    deinit { sqlite3_backup_finish(backup) }

    /// Copies up to 4 MB; `done` after the last.
    func step() throws(StorageError) -> SQLBackupProgress {
        let code = sqlite3_backup_step(backup, 1024)
        guard code == SQLITE_OK || code == SQLITE_DONE else {
            throw StorageError(code: code, message: String(cString: sqlite3_errstr(code)))
        }
        return progress(done: code == SQLITE_DONE)
    }

    private func progress(done: Bool) -> SQLBackupProgress {
        .with {
            $0.total = Int64(sqlite3_backup_pagecount(backup))
            $0.copied = $0.total - Int64(sqlite3_backup_remaining(backup))
            $0.done = done
        }
    }

    /// Closes the copy, which then is one file.
    func finish() throws(StorageError) -> SQLBackupProgress {
        let last = progress(done: true)
        let code = sqlite3_backup_finish(backup)
        backup = nil
        guard code == SQLITE_OK else {
            throw StorageError(code: code, message: String(cString: sqlite3_errstr(code)))
        }
        try target.rows("PRAGMA journal_mode = DELETE")
        target.close()
        return last
    }
}
