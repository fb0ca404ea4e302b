// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import FoundationEssentials
import Glibc

/// A database's file, under a host that may have it open.
enum DatabaseOnDisk {
    /// Moves what the log still has into the file, so that damage to the file is damage.
    static func settle(_ path: String) throws { try execute("PRAGMA wal_checkpoint(TRUNCATE)", path) }

    /// Changes one number of the file's first page, as any other process might.
    static func touch(_ path: String) throws { try execute("PRAGMA user_version = 7", path) }

    /// Overwrites everything from this byte on; by default every page but the first.
    static func damage(_ path: String, from start: Int = 4096) throws {
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw Unexpected("\(path) cannot be opened") }
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        guard size > 8192 else { throw Unexpected("the database is in the log still: \(size) bytes") }
        let bytes = (start..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        guard pwrite(file, bytes, bytes.count, off_t(start)) == bytes.count else {
            throw Unexpected("\(path) is not damaged")
        }
    }

    /// Changes it, and leaves the change in the log, as a host that was killed does.
    static func leaveLog(_ path: String, of sql: String) throws {
        var connection: OpaquePointer?
        let log = URL(filePath: "\(path)-wal")
        do {
            defer { sqlite3_close(connection) }
            guard sqlite3_open(path, &connection) == SQLITE_OK,
                sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK
            else { throw Unexpected("\(sql) failed on \(path): \(String(cString: sqlite3_errmsg(connection)))") }
            try Data(contentsOf: log).write(to: URL(filePath: "\(path)-left"))
        }
        try FileManager.default.moveItem(atPath: "\(path)-left", toPath: log.path)
    }

    private static func execute(_ sql: String, _ path: String) throws {
        var connection: OpaquePointer?
        defer { sqlite3_close(connection) }
        guard sqlite3_open(path, &connection) == SQLITE_OK, sqlite3_busy_timeout(connection, 10_000) == SQLITE_OK,
            sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK
        else { throw Unexpected("\(sql) failed on \(path): \(String(cString: sqlite3_errmsg(connection)))") }
    }
}
