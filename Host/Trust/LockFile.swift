// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
public import TheatreManifest

/// `plugins.d/plugins.lock`: which build of each plugin may run, and with which grants each instance was locked.
///
/// It is JSON with sorted keys, so that a change of it reads well in a review. `theatre plugins lock` writes it.
public struct LockFile: Sendable, Hashable {
    /// Its name in `plugins.d`.
    public static let name = "plugins.lock"

    /// By plugin.
    public var plugins: [String: Plugin] = [:]
    /// By instance.
    public var instances: [String: Instance] = [:]

    /// A plugin that may run.
    public struct Plugin: Sendable, Hashable {
        /// From its manifest.
        public var version: String
        /// SHA-256 of the library in hex, by architecture: `x86_64`, `aarch64`.
        public var digests: [String: String]

        /// What was found of the builds, by architecture.
        public var badges: [String: Badge]

        /// A plugin.
        public init(version: String, digests: [String: String], badges: [String: Badge] = [:]) {
            self.version = version
            self.digests = digests
            self.badges = badges
        }
    }

    /// An instance and what it may touch.
    public struct Instance: Sendable, Hashable {
        /// Its plugin.
        public var plugin: String
        /// As in `plugins.d`.
        public var grants: JSONValue

        /// An instance.
        public init(plugin: String, grants: JSONValue) {
            self.plugin = plugin
            self.grants = grants
        }
    }

    /// Nothing is locked.
    public init() {}

    /// This machine's, as digests are filed under it.
    public static var architecture: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "aarch64"
        #else
            "other"
        #endif
    }

    /// Reads the lock of a folder; nil where there is none.
    ///
    /// - Throws: ``TrustFailure`` where it cannot be understood.
    public static func read(folder: String) throws(TrustFailure) -> LockFile? {
        let path = "\(folder)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try LockFile(JSONValue(json: Data(contentsOf: URL(filePath: path))))
        } catch {
            throw TrustFailure("\(path) cannot be understood: \(error); make it anew with `theatre plugins lock`")
        }
    }

    /// Reads the parsed file; every unknown key is an error.
    public init(_ value: JSONValue) throws {
        var reader = try ObjectReader(value)
        let format = try reader.integer("lock") ?? 0
        guard format == 1 else {
            throw ManifestError(
                code: "manifest.choice", pointer: "/lock", message: "is \(format); this host reads format 1")
        }
        for (name, value) in try reader.object("plugins") {
            var plugin = try ObjectReader(value, at: "/plugins/\(name)")
            let version = try plugin.string("version")
            let digests = try plugin.object("sha256").mapValues { $0.string ?? "" }
            guard digests.values.allSatisfy(Self.isDigest) else {
                throw ManifestError(
                    code: "manifest.choice", pointer: "/plugins/\(name)/sha256",
                    message: "holds what is no SHA-256; 64 hex digits are expected")
            }
            let badges = try plugin.object("badges").mapValues { try Badge($0) }
            plugins[name] = Plugin(version: version, digests: digests, badges: badges)
            try plugin.finish()
        }
        for (name, value) in try reader.object("instances") {
            var instance = try ObjectReader(value, at: "/instances/\(name)")
            instances[name] = Instance(
                plugin: try instance.string("plugin"), grants: .object(try instance.object("grants")))
            try instance.finish()
        }
        try reader.finish()
    }

    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// The file's text.
    ///
    /// - Throws: where a grant holds a number that JSON has not.
    public func text() throws -> String {
        let value = JSONValue.object([
            "lock": .integer(1),
            "plugins": .object(
                plugins.mapValues { plugin in
                    var members: [String: JSONValue] = [
                        "version": .string(plugin.version),
                        "sha256": .object(plugin.digests.mapValues { .string($0) }),
                    ]
                    if !plugin.badges.isEmpty { members["badges"] = .object(plugin.badges.mapValues(\.json)) }
                    return .object(members)
                }),
            "instances": .object(
                instances.mapValues { .object(["plugin": .string($0.plugin), "grants": $0.grants]) }),
        ])
        return try Self.lines(of: value, indent: "") + "\n"
    }

    /// Objects over several lines, their keys sorted.
    private static func lines(of value: JSONValue, indent: String) throws -> String {
        guard case .object(let members) = value, !members.isEmpty else {
            return String(decoding: try value.json(), as: UTF8.self)
        }
        let inner = indent + "  "
        let rows = try members.sorted { $0.key < $1.key }.map { key, member in
            let name = String(decoding: try JSONValue.string(key).json(), as: UTF8.self)
            return "\(inner)\(name): \(try lines(of: member, indent: inner))"
        }
        return "{\n\(rows.joined(separator: ",\n"))\n\(indent)}"
    }
}

/// Why what is trusted cannot be told, in words for the operator.
public struct TrustFailure: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String
    /// A failure.
    public init(_ description: String) { self.description = description }
}
