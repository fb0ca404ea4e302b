// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials
public import Runtime
public import TheatreManifest

/// What `theatre plugin validate --badge` found of one build, by one version of its checks.
///
/// `theatre plugin validate libNAME.so --badge libNAME.so.badge` leaves it beside the library, where `theatre plugins lock`
/// finds it. What binds it to the build is the digest; what binds it to whoever ran the checks is a signature, where the
/// host wants signatures.
public struct Badge: Sendable, Hashable {
    /// Of the plugin.
    public var plugin: String
    /// Of the plugin.
    public var version: String
    /// SHA-256 of the library in hex.
    public var digest: String
    /// Version of the set of checks.
    public var kit: Int
    /// `full`, `quick`, or `selected`: which checks were made.
    public var profile: String
    /// No check failed.
    public var isSound: Bool
    /// Lines of a key's name and an Ed25519 signature of ``message`` in base 64.
    public var signatures: [String] = []

    /// A badge.
    public init(plugin: String, version: String, digest: String, kit: Int, profile: String, isSound: Bool) {
        self.plugin = plugin
        self.version = version
        self.digest = digest
        self.kit = kit
        self.profile = profile
        self.isSound = isSound
    }

    /// Where the badge of a library is looked for.
    public static func path(of library: String) -> String { "\(library).badge" }

    /// The badge beside a library; nil where there is none.
    ///
    /// - Throws: ``TrustFailure`` where it cannot be understood.
    public static func read(library: String) throws(TrustFailure) -> Badge? {
        let path = path(of: library)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do { return try Badge(JSONValue(json: Data(contentsOf: URL(filePath: path)))) } catch {
            throw TrustFailure(
                "\(path) cannot be understood: \(error); make it anew with `theatre plugin validate --badge`")
        }
    }

    /// Reads the parsed file. What was found check by check is in it too, and is nothing to the lock.
    ///
    /// - Throws: `ManifestError`.
    public init(_ value: JSONValue) throws {
        guard value["badge"]?.integer == 1 else {
            throw ManifestError(code: "manifest.choice", pointer: "/badge", message: "is no badge of format 1")
        }
        func text(_ key: String) throws -> String {
            guard let text = value[key]?.string, !text.contains("\n") else {
                throw ManifestError(code: "manifest.type", pointer: "/\(key)", message: "is missing or no line of text")
            }
            return text
        }
        guard let kit = Int(try text("kit")), kit > 0 else {
            throw ManifestError(code: "manifest.choice", pointer: "/kit", message: "is no version of the checks")
        }
        guard let isSound = value["ok"]?.bool else {
            throw ManifestError(code: "manifest.type", pointer: "/ok", message: "is missing or no truth value")
        }
        self.init(
            plugin: try text("plugin"), version: try text("version"), digest: try text("digest"), kit: kit,
            profile: try text("profile"), isSound: isSound)
        signatures = (value["signatures"]?.array ?? []).compactMap(\.string)
    }

    /// As it stands in the lock.
    var json: JSONValue {
        var members: [String: JSONValue] = [
            "badge": .integer(1), "plugin": .string(plugin), "version": .string(version), "digest": .string(digest),
            "kit": .string("\(kit)"), "profile": .string(profile), "ok": .bool(isSound),
        ]
        if !signatures.isEmpty { members["signatures"] = .array(signatures.map { .string($0) }) }
        return .object(members)
    }

    /// `kit 2, full`.
    var shown: String { "kit \(kit), \(profile)" + (isSound ? "" : ", failed") }

    // MARK: signatures

    /// The bytes that are signed: everything a policy asks for.
    private var message: Data {
        Data("theatre plugin badge 1\n\(plugin)\n\(version)\n\(digest)\n\(kit)\n\(profile)\n\(isSound)\n".utf8)
    }

    /// Adds a signature to the badge beside a library.
    ///
    /// - Returns: False where there is none.
    /// - Throws: ``TrustFailure`` where the badge is another build's, or the key or the file is of no use.
    public static func sign(_ file: PluginFile, name: String, key: String) throws(TrustFailure) -> Bool {
        guard var badge = try read(library: file.path) else { return false }
        guard badge.digest == file.digest else {
            throw TrustFailure(
                "\(path(of: file.path)) is of the build \(badge.digest.prefix(12)), and the library is "
                    + "\(file.digest.prefix(12)); validate it again with --badge, then sign")
        }
        badge.signatures.append("\(name) \(try PEM.signature(of: badge.message, key: key))")
        do {
            let url = URL(filePath: path(of: file.path))
            // What it says check by check stays.
            var members = try JSONValue(json: Data(contentsOf: url)).object ?? [:]
            members["signatures"] = .array(badge.signatures.map { .string($0) })
            try JSONValue.object(members).json().write(to: url, options: .atomic)
        } catch {
            throw TrustFailure("\(path(of: file.path)) cannot be written: \(error)")
        }
        return true
    }

    /// The name of a key in `folder` that signed it; nil where none did.
    func signer(folder: String) throws(TrustFailure) -> String? {
        try PEM.signer(of: message, lines: signatures, folder: folder)
    }
}
