// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Runtime
internal import Synchronization

/// Secrets from the environment and from one folder of files that only their owner may read.
///
/// Values are read once and kept until ``prepare(_:)`` reads them anew, so that a call does no file work after it.
public final class FileAndEnvironmentSecrets: SecretSource {
    /// Largest file that is read, in bytes.
    public static let largestFile = 64 << 10

    private let folder: String
    private let state = Mutex(State())

    private struct State {
        var known: [String: SecretBytes] = [:]
        var staged: Staged?
    }

    private struct Staged {
        var values: [String: SecretBytes]
        /// Whose they are already.
        var isFor: @Sendable (InstanceIdentity) -> Bool
    }

    /// Secrets whose `file:` names are relative to `folder`.
    public init(folder: String) { self.folder = folder }

    /// Reads these sources anew; throws the first error, and then those read before stay.
    public func prepare(_ sources: some Sequence<String>) throws(CallError) {
        var fresh: [String: SecretBytes] = [:]
        for source in sources where fresh[source] == nil { fresh[source] = try read(source) }
        let made = fresh
        state.withLock { $0.known = made }
    }

    /// Holds values that were read anew beside those that serve, until ``commit(keeping:)`` or ``discard()``.
    ///
    /// - Parameter isFor: the instances that see them already, as they are being brought up.
    public func stage(_ values: [String: SecretBytes], for isFor: @escaping @Sendable (InstanceIdentity) -> Bool) {
        state.withLock { $0.staged = Staged(values: values, isFor: isFor) }
    }

    /// Every instance sees the staged values, and no others.
    ///
    /// - Parameter sources: those whose earlier values stay, as they could not be read anew.
    public func commit(keeping sources: Set<String> = []) {
        state.withLock { state in
            guard let staged = state.staged else { return }
            state.known = state.known.filter { sources.contains($0.key) }.merging(staged.values) { $1 }
            state.staged = nil
        }
    }

    /// The staged values are forgotten.
    public func discard() { state.withLock { $0.staged = nil } }

    /// The value, read once; see ``SecretSource``.
    public func value(for source: String) throws(CallError) -> SecretBytes {
        if let value = state.withLock({ $0.known[source] }) { return value }
        let value = try read(source)
        state.withLock { $0.known[source] = value }
        return value
    }

    /// The staged values for those they are for, and else those that serve.
    public func seen(by instance: InstanceIdentity) -> any SecretSource {
        guard let staged = state.withLock({ $0.staged }), staged.isFor(instance) else { return self }
        return StagedSecrets(values: staged.values, rest: self)
    }

    /// Reads a source anew; nothing is kept.
    ///
    /// - Throws: FAILED_PRECONDITION `secrets.missing`, `secrets.unsafe_file`, `secrets.bad_source`; never a value.
    public func read(_ source: String) throws(CallError) -> SecretBytes {
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
        // What has no kind may be the secret itself.
        let kind = source.firstIndex(of: ":").map { " of kind \"\(source[..<$0])\"" } ?? ""
        return CallError(
            .failedPrecondition, "secrets.bad_source",
            "A secret's source\(kind) is malformed; write env:NAME or file:NAME without slashes.")
    }
}

/// Values that only instances which are being brought up see.
private struct StagedSecrets: SecretSource {
    let values: [String: SecretBytes]
    let rest: FileAndEnvironmentSecrets

    func value(for source: String) throws(CallError) -> SecretBytes {
        if let value = values[source] { return value }
        return try rest.value(for: source)
    }
}
