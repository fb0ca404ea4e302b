// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CCrypto
import Glibc

/// The files of this machine.
struct SystemFiles: FileLayer {
    var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec)
    }

    func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileFault("mkdir") }
    }

    func create(_ path: String) throws -> any OpenFile {
        try SystemFile(path, O_CREAT | O_EXCL | O_WRONLY, "create")
    }

    func open(_ path: String) throws -> (any OpenFile)? {
        do {
            return try SystemFile(path, O_RDONLY | O_NOFOLLOW, "open")
        } catch let fault where fault.code == ENOENT {
            return nil
        }
    }

    func rename(_ path: String, to other: String) throws {
        guard Glibc.rename(path, other) == 0 else { throw FileFault("rename") }
    }

    func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileFault("unlink") }
    }

    func syncFolder(_ path: String) throws {
        try SystemFile(path, O_RDONLY | O_DIRECTORY, "open").flush()
    }

    func list(_ path: String) throws -> [FolderEntry] {
        guard let folder = opendir(path) else {
            if errno == ENOENT { return [] }
            throw FileFault("opendir")
        }
        defer { closedir(folder) }
        var entries: [FolderEntry] = []
        errno = 0
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            var status = stat()
            if fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFREG {
                entries.append(FolderEntry(name: name, modifiedAt: Int64(status.st_mtim.tv_sec)))
            }
            errno = 0
        }
        guard errno == 0 else { throw FileFault("readdir") }
        return entries
    }

    func withLock<Output: Sendable>(_ folder: String, exclusive: Bool, _ body: () throws -> Output) throws -> Output {
        let file = try SystemFile(folder, O_RDONLY | O_DIRECTORY, "open")
        try file.lock(exclusive: exclusive)
        // Closing the folder opens the lock.
        return try withExtendedLifetime(file) { try body() }
    }

    func room(in folder: String) throws -> DiskRoom {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { throw FileFault("statvfs") }
        let isReadOnly = status.f_flag & UInt(ST_RDONLY) != 0
        // Some file systems count no blocks or no files: 0 of 0 says nothing.
        guard status.f_blocks > 0 else { return DiskRoom(isReadOnly: isReadOnly, free: nil) }
        let isRoot = geteuid() == 0
        let files = isRoot ? status.f_ffree : status.f_favail
        let blocks = isRoot ? status.f_bfree : status.f_bavail
        let isOutOfFiles = status.f_files > 0 && files == 0
        let free = blocks.multipliedReportingOverflow(by: status.f_frsize)
        return DiskRoom(
            isReadOnly: isReadOnly,
            free: isOutOfFiles ? 0 : free.overflow ? .max : Int64(clamping: free.partialValue))
    }
}

/// A descriptor. Used by one thread at a time, which its owner sees to.
private final class SystemFile: OpenFile {
    private let descriptor: Int32

    init(_ path: String, _ flags: Int32, _ operation: String) throws(FileFault) {
        descriptor = ccrypto_open(path, flags, 0o600)
        guard descriptor >= 0 else { throw FileFault(operation) }
    }

    deinit { close(descriptor) }

    func size() throws -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFault("fstat") }
        return Int64(status.st_size)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileFault("write", code: count == 0 ? ENOSPC : errno) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset) + off_t(done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFault("read") }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func sync() throws {
        // The sweep goes by this time: what was written long ago and is placed now is new.
        guard futimens(descriptor, nil) == 0 else { throw FileFault("futimens") }
        try flush()
    }

    func flush() throws {
        guard fsync(descriptor) == 0 else { throw FileFault("fsync") }
    }

    func lock(exclusive: Bool) throws {
        while flock(descriptor, exclusive ? LOCK_EX : LOCK_SH) != 0 {
            guard errno == EINTR else { throw FileFault("flock") }
        }
    }
}
