// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc
public import Runtime
internal import Synchronization

/// Keys in files: `FOLDER/KEY/0001.jwk`, one private JWK per version, mode 0600; the highest number is the newest.
///
/// A secret of Standard Webhooks that another party made is put beside them as it was shown: `FOLDER/KEY/0001.whsec`
/// with one line, `whsec_` and base64.
public final class FileKeys: KeySource {
    private let folder: String
    private let generate: Bool
    private let known = Mutex<[String: [KeyVersion]]>([:])

    /// Keys under `folder`.
    ///
    /// - Parameter generate: makes a first version of a key that has none.
    public init(folder: String, generate: Bool) {
        self.folder = folder
        self.generate = generate
    }

    /// Reads, and where allowed makes, these keys. Does file work: call it at start, and again to pick up new versions.
    ///
    /// - Throws: FAILED_PRECONDITION `keys.missing`, `keys.unsafe_file`, `keys.malformed`, `keys.wrong_algorithm`.
    public func prepare(keys: some Sequence<ResolvedGrants.KeyGrant>) throws(CallError) {
        var fresh: [String: [KeyVersion]] = [:]
        for grant in keys { fresh[grant.key] = try load(grant) }
        replace(fresh)
    }

    /// Takes these versions over. Others stay: what serves by another deployment still signs with them.
    public func replace(_ fresh: [String: [KeyVersion]]) { known.withLock { $0.merge(fresh) { $1 } } }

    /// Takes over what was not known before: what serves keeps signing with what it has.
    public func add(_ fresh: [String: [KeyVersion]]) { known.withLock { $0.merge(fresh) { old, _ in old } } }

    /// What ``prepare(keys:)`` loaded, newest first.
    public func versions(of key: String) throws(CallError) -> [KeyVersion] {
        guard let versions = known.withLock({ $0[key] }) else {
            throw CallError(
                .failedPrecondition, "keys.missing", "Key \(key) was not loaded at start; grant it and restart.")
        }
        return versions
    }

    /// Reads, and where allowed makes, one key, newest version first; nothing is kept of what is read. Does file work.
    ///
    /// - Throws: as ``prepare(keys:)``.
    public func load(_ grant: ResolvedGrants.KeyGrant) throws(CallError) -> [KeyVersion] {
        guard Self.isName(grant.key) else {
            throw CallError(
                .failedPrecondition, "keys.bad_name", "A key's name may have letters, digits, dots, _ and - only.")
        }
        let path = "\(folder)/\(grant.key)"
        var names = try fileNames(path, grant.key)
        if names.isEmpty {
            guard generate else {
                throw CallError(
                    .failedPrecondition, "keys.missing",
                    "Key \(grant.key) has no file in the keys folder; put 0001.jwk there.")
            }
            try create("\(path)/0001.jwk", grant)
            names = ["0001.jwk"]
        }
        var versions: [KeyVersion] = []
        for name in names { versions.append(try read("\(path)/\(name)", grant)) }
        return versions
    }

    /// Newest first.
    private func fileNames(_ path: String, _ key: String) throws(CallError) -> [String] {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let names = try FileManager.default.contentsOfDirectory(atPath: path)
            let numbered = names.compactMap { name -> (Int, String)? in
                let parts = name.split(separator: ".", omittingEmptySubsequences: false)
                guard parts.count == 2, ["jwk", "whsec"].contains(parts[1]), let number = Int(parts[0]) else {
                    return nil
                }
                return (number, name)
            }
            return numbered.sorted { $0.0 > $1.0 }.map(\.1)
        } catch {
            throw CallError(.failedPrecondition, "keys.missing", "The folder of key \(key) cannot be read.")
        }
    }

    private func read(_ path: String, _ grant: ResolvedGrants.KeyGrant) throws(CallError) -> KeyVersion {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0 else {
            throw CallError(
                .failedPrecondition, "keys.unsafe_file",
                "A file of key \(grant.key) is readable by others or no regular file; chmod 600 it.")
        }
        let version: KeyVersion?
        do {
            let contents = try Data(contentsOf: URL(filePath: path))
            version =
                path.hasSuffix(".whsec")
                ? KeyVersion(webhookSecret: contents)
                : try KeyVersion(JSONDecoder().decode(JWK.self, from: contents))
        } catch {
            // The decoder's error may repeat what it read.
            version = nil
        }
        guard let version else {
            throw CallError(
                .failedPrecondition, "keys.malformed",
                "A file of key \(grant.key) is no private JWK, or no whsec_ line where its name ends in .whsec.")
        }
        guard grant.takes(version.algorithm) else {
            throw CallError(
                .failedPrecondition, "keys.wrong_algorithm",
                "Key \(grant.key) is \(version.algorithm) in its file and \(grant.algorithm) in its grant.")
        }
        return version
    }

    private func create(_ path: String, _ grant: ResolvedGrants.KeyGrant) throws(CallError) {
        guard let jwk = KeyVersion.generate(grant.algorithm) else {
            throw CallError(
                .failedPrecondition, "keys.wrong_algorithm",
                "Key \(grant.key) has unknown algorithm \(grant.algorithm); use EdDSA, ES256 or HS256.")
        }
        do {
            try PrivateFile.create(path, contents: try jwk.json())
        } catch {
            throw CallError(.failedPrecondition, "keys.unsafe_file", "Key \(grant.key) cannot be stored: \(error).")
        }
    }

    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".")
            && name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                    || "._-".utf8.contains($0)
            }
    }
}
