// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Crypto
internal import FoundationEssentials
internal import Glibc
public import TheatreManifest

/// A library as verified from its file, before anything of it ran.
public struct PluginFile: Sendable {
    /// Where it was read.
    public let path: String
    /// SHA-256 of the file, hex.
    public let digest: String
    /// GNU build id, hex; empty where the linker wrote none.
    public let buildID: String
    /// From its `.theatre.manifest` section.
    public let manifest: Manifest
    /// The manifest as written.
    public let manifestBytes: [UInt8]
    /// `FileDescriptorSet` of the contracts it speaks, from `.theatre.contracts`.
    public let contracts: [UInt8]
    /// Why the library must not be loaded although its manifest could be read; nil where it may.
    public let fault: LoadError?
    /// The whole file; empty of a plugin that is served elsewhere.
    public let image: PluginImage
    /// Whether only its manifest is here.
    public let isServedElsewhere: Bool

    /// Reads and verifies `libNAME.so` without loading it. What is wrong with a library whose manifest can be read is in
    /// ``fault``, so that its routes can answer with the reason.
    ///
    /// - Throws: `LoadError` naming the plugin, what was expected, what was found and the fix.
    public init(name: String, path: String) throws(LoadError) {
        guard let image = WholeFile.bytes(path) else {
            throw LoadError(
                plugin: name, code: "plugin.no_file", expected: "a library at \(path)",
                found: String(cString: strerror(errno)),
                fix: "build it, or name the folder that holds it with --plugins")
        }
        try self.init(name: name, path: path, image: image)
    }

    init(name: String, path: String, image: [UInt8]) throws(LoadError) {
        self.path = path
        digest = WholeFile.digest(image)
        self.image = PluginImage(image, name: name, path: path, digest: digest)
        isServedElsewhere = false
        let elf: ELFFile
        do {
            elf = try ELFFile(image)
        } catch {
            throw LoadError(
                plugin: name, code: "plugin.not_a_library", expected: "a shared library", found: "a file that \(error)",
                fix: "build the plugin as a dynamic library")
        }
        buildID = elf.buildID.map { String(byte: $0) }.joined()
        try Self.checkMachine(elf, name)
        guard let section = elf.section(THEATRE_MANIFEST_SECTION), !section.isEmpty else {
            throw LoadError(
                plugin: name, code: "plugin.no_manifest", expected: "a manifest in section \(THEATRE_MANIFEST_SECTION)",
                found: "none", fix: "embed plugin.json with theatre_plugin_entry.h")
        }
        manifestBytes = Array(section)
        contracts = Array(elf.section(THEATRE_CONTRACTS_SECTION) ?? [])
        do {
            manifest = try Manifest(json: Data(section))
        } catch let error as ManifestError {
            throw LoadError(
                plugin: name, code: "plugin.bad_manifest", expected: "a manifest this host can read",
                found: "\(error.code): \(error)", fix: "correct plugin.json and build again")
        } catch {
            throw LoadError(
                plugin: name, code: "plugin.bad_manifest", expected: "a manifest this host can read", found: "\(error)",
                fix: "correct plugin.json and build again")
        }
        fault = Self.identityFault(name, manifest, elf)
    }

    /// A plugin that is served elsewhere and of which only manifest and contracts are here. Its ``image`` is empty, its
    /// digest that of both files.
    ///
    /// - Throws: `LoadError` as for a library.
    public init(name: String, manifest: String, contracts: String) throws(LoadError) {
        path = manifest
        manifestBytes = try Self.read(manifest, name)
        self.contracts = try Self.read(contracts, name)
        var hash = SHA256()
        hash.update(data: manifestBytes)
        hash.update(data: self.contracts)
        digest = hash.finalize().map { String(byte: $0) }.joined()
        buildID = ""
        image = PluginImage([], name: name, path: manifest, digest: digest)
        isServedElsewhere = true
        do {
            self.manifest = try Manifest(json: Data(manifestBytes))
        } catch {
            throw LoadError(
                plugin: name, code: "plugin.bad_manifest", expected: "a manifest this host can read", found: "\(error)",
                fix: "correct \(manifest)")
        }
        guard self.manifest.name == name else {
            throw LoadError(
                plugin: name, code: "plugin.name", expected: "the manifest of \(name)",
                found: "that of \(self.manifest.name)", fix: "name the right file under remote.manifest")
        }
        fault = nil
    }

    private static func read(_ path: String, _ name: String) throws(LoadError) -> [UInt8] {
        guard let bytes = WholeFile.bytes(path) else {
            throw LoadError(
                plugin: name, code: "plugin.no_file", expected: "a file at \(path)",
                found: String(cString: strerror(errno)), fix: "put it there, or name another under remote")
        }
        return bytes
    }

    /// SHA-256 of the manifest.
    public var manifestDigest: [UInt8] { Array(SHA256.hash(data: manifestBytes)) }

    /// SHA-256 of any file, hex; nil where it cannot be read.
    public static func digest(ofFile path: String) -> String? {
        WholeFile.bytes(path).map(WholeFile.digest)
    }

    private static func checkMachine(_ elf: ELFFile, _ name: String) throws(LoadError) {
        #if arch(x86_64)
            let ours: UInt16 = 62
        #else
            let ours: UInt16 = 183
        #endif
        guard elf.machine != ours else { return }
        throw LoadError(
            plugin: name, code: "plugin.machine", expected: "machine \(ours)", found: "machine \(elf.machine)",
            fix: "build it for this architecture")
    }

    private static func identityFault(_ name: String, _ manifest: Manifest, _ elf: ELFFile) -> LoadError? {
        guard manifest.name == name else {
            return LoadError(
                plugin: name, code: "plugin.name", expected: "the manifest of \(name)",
                found: "that of \(manifest.name)",
                fix: "name the file lib\(manifest.name).so, or correct `name` in plugin.json")
        }
        guard manifest.abi.major == Int64(THEATRE_ABI_MAJOR) else {
            return LoadError(
                plugin: name, code: "plugin.abi_major", expected: "ABI major \(THEATRE_ABI_MAJOR)",
                found: "\(manifest.abi.major)", fix: "build it against this host's theatre_plugin.h")
        }
        guard manifest.abi.minHostRevision <= Int64(THEATRE_ABI_REVISION) else {
            return LoadError(
                plugin: name, code: "plugin.newer_host",
                expected: "a plugin that does with host revision \(THEATRE_ABI_REVISION)",
                found: "it needs revision \(manifest.abi.minHostRevision)",
                fix: "run a newer host, or build the plugin with a lower min_host_revision")
        }
        let entry = THEATRE_ENTRY_PREFIX + name
        guard elf.exports.contains(entry) else {
            let others = elf.exports.filter { $0.hasPrefix("theatre_plugin_") }
            return LoadError(
                plugin: name, code: "plugin.no_entry", expected: "the exported symbol \(entry)",
                found: others.isEmpty ? "no entry at all" : others.joined(separator: ", "),
                fix: "declare THEATRE_PLUGIN(\(name), …) and export it in the version script")
        }
        return nil
    }
}

extension String {
    /// Two lower-case hex digits.
    init(byte: UInt8) {
        let digits = Array("0123456789abcdef")
        self.init([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
    }
}
