// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
public import CTheatrePlugin
internal import Glibc
internal import TheatreManifest

/// A verified library, loaded. It stays mapped until the process ends: unmapping Swift code is not safe.
public struct PluginLibrary: Sendable {
    /// What was verified.
    public let file: PluginFile
    /// The table its entry returned; constant, valid for the life of the process.
    nonisolated(unsafe) public let table: UnsafePointer<theatre_plugin>

    /// Loads exactly the verified bytes, from sealed memory.
    ///
    /// Runs the library's constructors: call it on a control thread.
    public init(_ file: PluginFile) throws(LoadError) {
        self.file = file
        let name = file.manifest.name
        let descriptor = try file.image.unmapped()
        guard let handle = dlopen("/proc/self/fd/\(descriptor)", RTLD_NOW | RTLD_LOCAL) else {
            throw LoadError(
                plugin: name, code: "plugin.load", expected: "a library the loader accepts",
                found: dlerror().map { String(cString: $0) } ?? "no reason", fix: "install the libraries it links")
        }
        guard let symbol = dlsym(handle, THEATRE_ENTRY_PREFIX + name),
            let table = unsafeBitCast(symbol, to: theatre_plugin_entry.self)()
        else {
            throw LoadError(
                plugin: name, code: "plugin.no_entry", expected: "the symbol \(THEATRE_ENTRY_PREFIX)\(name)",
                found: "none, or one that returned null", fix: "declare THEATRE_PLUGIN(\(name), …)")
        }
        self.table = table
        try checkMapping(symbol)
        try checkTable()
    }

    /// What is mapped is what was verified.
    private func checkMapping(_ symbol: UnsafeMutableRawPointer) throws(LoadError) {
        guard !file.buildID.isEmpty else { return }
        let mapped = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { buffer in
            let length = theatre_image_build_id(symbol, buffer.baseAddress, 64)
            return buffer.prefix(Int(length)).map { String(byte: $0) }.joined()
        }
        guard mapped == file.buildID else {
            throw LoadError(
                plugin: file.manifest.name, code: "plugin.other_image", expected: "build \(file.buildID)",
                found: "build \(mapped.isEmpty ? "unknown" : mapped)", fix: "report this: another image was mapped")
        }
    }

    /// The table agrees with what was read from the file.
    private func checkTable() throws(LoadError) {
        let manifest = file.manifest
        let found = theatre_plugin(copying: table)
        func check(_ holds: Bool, _ expected: String, _ actual: @autoclosure () -> String) throws(LoadError) {
            guard !holds else { return }
            throw LoadError(
                plugin: manifest.name, code: "plugin.lies", expected: expected, found: actual(),
                fix: "build the library, its manifest and its contracts together")
        }
        try check(
            found.struct_size >= THEATRE_PLUGIN_SIZE_0,
            "a table of at least \(THEATRE_PLUGIN_SIZE_0) bytes, as revision 0 has", "one of \(found.struct_size) bytes"
        )
        try check(
            Int64(found.abi_major) == manifest.abi.major, "ABI major \(manifest.abi.major), as the manifest says",
            "\(found.abi_major)")
        try check(
            UInt32(found.min_host_revision) <= THEATRE_ABI_REVISION,
            "a table that does with host revision \(THEATRE_ABI_REVISION), as the manifest says",
            "it needs revision \(found.min_host_revision)")
        try check(
            String(found.name) == manifest.name, "name \(manifest.name), as the manifest says", String(found.name))
        try check(
            String(found.version) == manifest.version, "version \(manifest.version), as the manifest says",
            String(found.version))
        try check(
            Self.bytes(found.manifest).elementsEqual(file.manifestBytes),
            "the manifest of section \(THEATRE_MANIFEST_SECTION), \(file.manifestBytes.count) bytes",
            "another of \(found.manifest.size) bytes")
        try check(
            Self.bytes(found.contracts).elementsEqual(file.contracts),
            "the contracts of section \(THEATRE_CONTRACTS_SECTION), \(file.contracts.count) bytes",
            "others of \(found.contracts.size) bytes")
        try check(found.create != nil, "a create function", "null")
    }

    /// Constant bytes of the library.
    private static func bytes(_ bytes: theatre_bytes) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes.data, count: bytes.data == nil ? 0 : Int(bytes.size))
    }
}

extension String {
    /// Text that crossed the interface; broken UTF-8 is repaired.
    init(_ bytes: theatre_bytes) {
        self.init(decoding: UnsafeRawBufferPointer(start: bytes.data, count: Int(bytes.size)), as: UTF8.self)
    }
}
