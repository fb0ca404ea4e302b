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

    /// Copies the verified bytes into sealed memory and loads exactly those.
    ///
    /// Runs the library's constructors: call it on a control thread.
    public init(_ file: PluginFile) throws(LoadError) {
        self.file = file
        let name = file.manifest.name
        let descriptor = file.image.withUnsafeBufferPointer {
            theatre_image_seal(name, $0.baseAddress, UInt64($0.count))
        }
        guard descriptor >= 0 else {
            throw LoadError(
                plugin: name, code: "plugin.memory", expected: "a sealed copy of the library",
                found: String(cString: strerror(-descriptor)), fix: "free memory, or allow memfd_create")
        }
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

    /// The table agrees with the manifest that was read from the file.
    private func checkTable() throws(LoadError) {
        let name = file.manifest.name
        let found = table.pointee
        func lie(_ what: String, _ expected: String, _ actual: String) -> LoadError {
            LoadError(
                plugin: name, code: "plugin.lies", expected: "\(what) \(expected), as the manifest says", found: actual,
                fix: "build the library and its manifest together")
        }
        guard found.struct_size >= UInt32(MemoryLayout<theatre_plugin>.size) else {
            throw lie("a table of \(MemoryLayout<theatre_plugin>.size) bytes", "", "\(found.struct_size) bytes")
        }
        guard UInt32(found.abi_major) == THEATRE_ABI_MAJOR else {
            throw lie("ABI major", "\(THEATRE_ABI_MAJOR)", "\(found.abi_major)")
        }
        guard UInt32(found.min_host_revision) <= THEATRE_ABI_REVISION else {
            throw lie("min_host_revision", "\(file.manifest.abi.minHostRevision)", "\(found.min_host_revision)")
        }
        guard String(found.name) == name else { throw lie("name", name, String(found.name)) }
        guard String(found.version) == file.manifest.version else {
            throw lie("version", file.manifest.version, String(found.version))
        }
        let manifest = UnsafeRawBufferPointer(start: found.manifest.data, count: Int(found.manifest.size))
        guard manifest.elementsEqual(file.manifestBytes) else {
            throw lie("the manifest of its section", "", "another of \(manifest.count) bytes")
        }
        guard found.create != nil else { throw lie("a create function", "", "null") }
    }
}

extension String {
    /// Text that crossed the interface; broken UTF-8 is repaired.
    init(_ bytes: theatre_bytes) {
        self.init(decoding: UnsafeRawBufferPointer(start: bytes.data, count: Int(bytes.size)), as: UTF8.self)
    }
}
