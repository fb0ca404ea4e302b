// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc
public import Runtime

/// The files of keys: `FOLDER/KEY/0001.jwk`, one private JWK per version, mode 0600; the highest number is the newest.
///
/// A secret of Standard Webhooks that another party made is put beside them as it was shown: `FOLDER/KEY/0001.whsec`
/// with one line, `whsec_` and base64. Where `theatre_signs_from` of a JWK, in seconds since 1970, is to come, the
/// version is published and checked by and does not sign yet.
public struct KeyFolder: Sendable {
    /// The folder of all keys.
    public let path: String

    /// Keys under `path`.
    public init(_ path: String) { self.path = path }

    /// One version and where it is.
    public struct File: Sendable {
        /// Its number.
        public let number: Int
        /// In the key's folder.
        public let name: String
        /// What it holds.
        public let version: KeyVersion
    }

    /// What tells that the files of a key are others than before.
    struct Stamp: Sendable, Hashable {
        private struct One: Sendable, Hashable {
            var name: String
            var file: ino_t
            var mode: mode_t
            var size: Int
            var times: [Int]
        }
        private let files: [One]

        fileprivate init(_ folder: String, _ names: [String]) {
            files = names.map { name in
                var facts = stat()
                guard lstat("\(folder)/\(name)", &facts) == 0 else {
                    return One(name: name, file: 0, mode: 0, size: 0, times: [])
                }
                let (made, changed) = (facts.st_mtim, facts.st_ctim)
                return One(
                    name: name, file: facts.st_ino, mode: facts.st_mode, size: Int(facts.st_size),
                    times: [made.tv_sec, made.tv_nsec, changed.tv_sec, changed.tv_nsec])
            }
        }
    }

    func stamp(of key: String) -> Stamp {
        let folder = "\(path)/\(key)"
        // A folder that cannot be read is another than before: who reads the key then learns why.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return Stamp(folder, Self.numbered(names).map(\.name))
    }

    /// The keys that have a folder with a version in it, sorted; none where the folder of all keys is not there yet.
    ///
    /// - Throws: FAILED_PRECONDITION `keys.missing` where one of the folders cannot be read.
    public func names() throws(CallError) -> [String] {
        guard Self.kind(path) != nil else { return [] }
        var names: [String] = []
        for name in try Self.listing(path, "The folder of keys") where Self.isName(name) {
            let folder = "\(path)/\(name)"
            // A file, or a link to nowhere, is no key's folder.
            guard Self.kind(folder) == S_IFDIR else { continue }
            let files = try Self.listing(folder, "The folder of key \(name)")
            if !Self.numbered(files).isEmpty { names.append(name) }
        }
        return names.sorted()
    }

    /// What a path leads to; nil where there is nothing.
    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno == ENOENT ? nil : 0 }
        return status.st_mode & S_IFMT
    }

    private static func listing(_ folder: String, _ what: String) throws(CallError) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
            throw CallError(
                .failedPrecondition, "keys.missing",
                "\(what), \(folder), cannot be read; make it a folder of the host's own user, mode 0700.")
        }
    }

    /// The versions of a key, newest first; none where there are none.
    ///
    /// - Throws: FAILED_PRECONDITION `keys.bad_name`, `keys.missing`, `keys.unsafe_file`, `keys.malformed`.
    public func files(of key: String) throws(CallError) -> [File] {
        guard Self.isName(key) else {
            throw CallError(
                .failedPrecondition, "keys.bad_name", "A key's name may have letters, digits, dots, _ and - only.")
        }
        let folder = "\(path)/\(key)"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CallError(.failedPrecondition, "keys.missing", "The folder of key \(key), \(folder), cannot be made.")
        }
        var files: [File] = []
        for (number, name) in Self.numbered(try Self.listing(folder, "The folder of key \(key)")) {
            files.append(File(number: number, name: name, version: try read("\(folder)/\(name)", key)))
        }
        return files
    }

    /// Newest first.
    private static func numbered(_ names: [String]) -> [(number: Int, name: String)] {
        names.compactMap { name in
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, ["jwk", "whsec"].contains(parts[1]), let number = Int(parts[0]) else { return nil }
            return (number, name)
        }.sorted { ($0.number, $0.name) > ($1.number, $1.name) }
    }

    private func read(_ file: String, _ key: String) throws(CallError) -> KeyVersion {
        var status = stat()
        guard lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0 else {
            throw CallError(
                .failedPrecondition, "keys.unsafe_file",
                "A file of key \(key) is readable by others or no regular file; chmod 600 it.")
        }
        let version: KeyVersion?
        do {
            let contents = try Data(contentsOf: URL(filePath: file))
            version =
                file.hasSuffix(".whsec")
                ? try KeyVersion(webhookSecret: contents)
                : try KeyVersion(JSONDecoder().decode(JWK.self, from: contents))
        } catch {
            // The decoder's error may repeat what it read.
            version = nil
        }
        guard let version else {
            throw CallError(
                .failedPrecondition, "keys.malformed",
                "A file of key \(key) is no private JWK, or no whsec_ line where its name ends in .whsec.")
        }
        return version
    }

    /// Makes a version that begins to sign at `signsFrom`, in seconds since 1970; nil: it does from the beginning.
    ///
    /// A crash leaves nothing or the whole of it, and another that is made meanwhile is never replaced.
    ///
    /// - Throws: FAILED_PRECONDITION `keys.wrong_algorithm`, `keys.unsafe_file`.
    @discardableResult
    public func add(
        _ number: Int, of key: String, algorithm: String, signsFrom: Int64? = nil
    ) throws(CallError) -> File {
        guard let jwk = KeyVersion.generate(algorithm, signsFrom: signsFrom) else {
            throw CallError(
                .failedPrecondition, "keys.wrong_algorithm",
                "Key \(key) cannot be made as \(algorithm): the host makes EdDSA, ES256 and HS256, and others are put.")
        }
        let digits = String(number)
        let name = String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits + ".jwk"
        do {
            try PrivateFile.create("\(path)/\(key)/\(name)", contents: try jwk.json())
            if let version = try KeyVersion(jwk) { return File(number: number, name: name, version: version) }
        } catch {
            throw CallError(.failedPrecondition, "keys.unsafe_file", "Key \(key) cannot be stored: \(error).")
        }
        throw CallError(.internal, "keys.signing_failed", "A version of key \(key) that was made cannot be read.")
    }

    /// Removes a version for good.
    ///
    /// - Throws: FAILED_PRECONDITION `keys.unsafe_file`.
    public func remove(_ file: File, of key: String) throws(CallError) {
        do throws(PrivateFile.Failure) { try PrivateFile.remove("\(path)/\(key)/\(file.name)") } catch {
            throw CallError(.failedPrecondition, "keys.unsafe_file", "\(file.name) cannot be removed: \(error).")
        }
    }

    static func isName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".")
            && name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                    || "._-".utf8.contains($0)
            }
    }
}
