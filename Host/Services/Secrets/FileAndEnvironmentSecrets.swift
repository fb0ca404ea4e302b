// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Runtime
internal import Synchronization

/// Secrets from the environment and from one folder of files that only their owner may read.
///
/// Values are read once and kept until ``forget()``, so that a call does no file work after ``prepare(_:)``.
public final class FileAndEnvironmentSecrets: SecretSource {
    /// Largest file that is read, in bytes.
    public static let largestFile = 64 << 10

    private let folder: String
    private let known = Mutex<[String: SecretBytes]>([:])

    /// Secrets whose `file:` names are relative to `folder`.
    public init(folder: String) { self.folder = folder }

    /// Reads these sources now; throws the first error.
    public func prepare(_ sources: some Sequence<String>) throws(CallError) {
        for source in sources { _ = try value(for: source) }
    }

    /// Reads everything anew when next asked for.
    public func forget() { known.withLock { $0 = [:] } }

    /// The value, read once; see ``SecretSource``.
    public func value(for source: String) throws(CallError) -> SecretBytes {
        if let value = known.withLock({ $0[source] }) { return value }
        let value = try read(source)
        known.withLock { $0[source] = value }
        return value
    }

    private func read(_ source: String) throws(CallError) -> SecretBytes {
        let parts = source.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isName(parts[1]) else { throw Self.badSource(source) }
        switch parts[0] {
        case "env": return try environment(String(parts[1]))
        case "file": return try file(String(parts[1]))
        default: throw Self.badSource(source)
        }
    }

    private func environment(_ name: String) throws(CallError) -> SecretBytes {
        guard let value = getenv(name) else {
            throw CallError(
                .failedPrecondition, "secrets.missing", "Environment variable \(name) is not set; set it and restart.")
        }
        return SecretBytes(UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }

    private func file(_ name: String) throws(CallError) -> SecretBytes {
        let descriptor = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw CallError(
                .failedPrecondition, "secrets.missing",
                "Secret file \(name) in the secrets folder cannot be opened: \(String(cString: strerror(errno))).")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CallError(.failedPrecondition, "secrets.unsafe_file", "Secret file \(name) is not a regular file.")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw CallError(
                .failedPrecondition, "secrets.unsafe_file",
                "Secret file \(name) has mode \(mode); take it from group and others (chmod 600).")
        }
        guard status.st_size <= Self.largestFile else {
            throw CallError(
                .failedPrecondition, "secrets.unsafe_file",
                "Secret file \(name) is larger than \(Self.largestFile) bytes.")
        }
        return try contents(of: descriptor, name)
    }

    private func contents(of descriptor: Int32, _ name: String) throws(CallError) -> SecretBytes {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.largestFile, alignment: 1)
        defer {
            if let base = room.baseAddress { explicit_bzero(base, room.count) }
            room.deallocate()
        }
        var count = 0
        while count < room.count {
            let got = Glibc.read(descriptor, room.baseAddress?.advanced(by: count), room.count - count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw CallError(
                    .failedPrecondition, "secrets.missing",
                    "Secret file \(name) cannot be read: \(String(cString: strerror(errno))).")
            }
            if got == 0 { break }
            count += got
        }
        if count > 0, room[count - 1] == UInt8(ascii: "\n") { count -= 1 }
        return SecretBytes(UnsafeRawBufferPointer(rebasing: room[0..<count]))
    }

    private static func isName(_ name: Substring) -> Bool {
        !name.isEmpty && !name.contains("/") && !name.contains("\0") && name != "." && name != ".."
    }

    private static func badSource(_ source: String) -> CallError {
        let kind = source.prefix { $0 != ":" }
        return CallError(
            .failedPrecondition, "secrets.bad_source",
            "A secret's source of kind \"\(kind)\" is malformed; write env:NAME or file:NAME without slashes.")
    }
}
