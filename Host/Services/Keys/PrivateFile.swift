// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
internal import Glibc

/// Files that only their owner may read, written whole or not at all.
public enum PrivateFile {
    /// A system call failed.
    public struct Failure: Error, CustomStringConvertible {
        var call: String
        var number: Int32
        /// The call and why.
        public var description: String { "\(call): \(String(cString: strerror(number)))" }
    }

    /// Creates `path` with mode 0600; fails where it exists. A crash leaves either nothing or the whole file.
    public static func create(_ path: String, contents: Data) throws(Failure) {
        let temporary = try write(contents, beside: path)
        defer { unlink(temporary) }
        // A link, unlike a rename, never replaces a version that another process made meanwhile.
        guard link(temporary, path) == 0 else { throw Failure(call: "link", number: errno) }
        syncFolder(of: path)
    }

    /// Writes `path` with mode 0600, in place of what is there. A crash leaves either the old or the new.
    public static func replace(_ path: String, contents: Data) throws(Failure) {
        let temporary = try write(contents, beside: path)
        guard rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw Failure(call: "rename", number: number)
        }
        syncFolder(of: path)
    }

    /// Removes `path` for good.
    public static func remove(_ path: String) throws(Failure) {
        guard unlink(path) == 0 else { throw Failure(call: "unlink", number: errno) }
        syncFolder(of: path)
    }

    /// The name of a whole and synced file beside `path`.
    private static func write(_ contents: Data, beside path: String) throws(Failure) -> String {
        let temporary = "\(path).\(getpid()).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Failure(call: "open", number: errno) }
        let failure = write(contents, to: descriptor)
        close(descriptor)
        guard let failure else { return temporary }
        unlink(temporary)
        throw failure
    }

    private static func write(_ contents: Data, to descriptor: Int32) -> Failure? {
        var rest = contents[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return Failure(call: "write", number: errno) }
            rest = rest.dropFirst(count)
        }
        return fsync(descriptor) == 0 ? nil : Failure(call: "fsync", number: errno)
    }

    private static func syncFolder(of path: String) {
        guard let slash = path.lastIndex(of: "/") else { return }
        let descriptor = open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
