// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Glibc
import TheatreStorage

/// Files of databases: copied, made durable, put in place.
enum DatabaseFile {
    static func check(absolute path: String) throws(StorageError) {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw StorageError(.invalidArgument, "sql.bad_path", "An absolute path is needed.", detail: "/path")
        }
    }

    /// What SQLite calls itself.
    static var engineVersion: String { String(cString: sqlite3_libversion()) }

    /// Its size; 0 where there is none.
    static func bytes(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Makes an empty file that only its owner reads, where there is none: it holds what every user keeps secret.
    ///
    /// One that exists is not opened: to close it would let go of the locks that this process has on it.
    static func make(_ path: String) {
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file >= 0 { close(file) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func remove(_ path: String) { unlink(path) }

    /// The error of the system call that just failed.
    static func failure(_ what: String, _ path: String) -> StorageError {
        let code = errno
        let reason = String(cString: strerror(code))
        let isFull = code == ENOSPC || code == EDQUOT
        return StorageError(
            isFull ? .resourceExhausted : .unavailable, isFull ? "sql.full" : "sql.io",
            "\(path) cannot be \(what): \(reason).")
    }

    /// What was written to the file is on disk.
    static func sync(_ path: String, isFolder: Bool = false) throws(StorageError) {
        let file = open(path, isFolder ? O_RDONLY | O_DIRECTORY : O_RDONLY)
        guard file >= 0 else { throw failure("opened", path) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failure("synced", path) }
    }

    static func folder(of path: String) -> String {
        let folder = path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)
        return folder.isEmpty ? "/" : String(folder)
    }

    /// Gives `from` the name `to`, which nothing has; both are in one folder.
    static func publish(_ from: String, as to: String) throws(StorageError) {
        guard link(from, to) == 0 else {
            if errno == EEXIST { throw alreadyThere(to) }
            throw failure("made", to)
        }
        unlink(from)
        try sync(folder(of: to), isFolder: true)
    }

    static func alreadyThere(_ path: String) -> StorageError {
        StorageError(.alreadyExists, "sql.file_exists", "\(path) exists; name another file.", detail: "/path")
    }

    /// SHA-256 in hexadecimal; `progress` gets the bytes read so far now and then.
    static func digest(_ path: String) throws(StorageError) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("opened", path) }
        defer { close(file) }
        var hash = csqlite_sha256()
        csqlite_sha256_begin(&hash)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { break }
            csqlite_sha256_add(&hash, buffer, UInt(count))
        }
        var digest = [UInt8](repeating: 0, count: 32)
        csqlite_sha256_end(&hash, &digest)
        return digest.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0\(text)" : text
        }.joined()
    }

    /// Copies a file and makes the copy durable.
    static func copy(_ from: String, to: String) throws(StorageError) {
        let source = open(from, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw failure("opened", from) }
        defer { close(source) }
        let target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw failure("made", to) }
        defer { close(target) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count >= 0 else { throw failure("read", from) }
            if count == 0 { break }
            var written = 0
            while written < count {
                let step = buffer.withUnsafeBytes {
                    write(target, $0.baseAddress?.advanced(by: written), count - written)
                }
                guard step > 0 else { throw failure("written", to) }
                written += step
            }
        }
        guard fsync(target) == 0 else { throw failure("synced", to) }
    }
}
