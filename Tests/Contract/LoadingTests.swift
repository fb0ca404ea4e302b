// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import FoundationEssentials
import Glibc
import Staging
import Testing
import TheatreManifest

@testable import Runtime

/// How libraries come into the process: as sealed copies, each by itself.
@Suite struct LoadingTests {
    /// `F_GET_SEALS`, and all of `F_SEAL_SEAL`, `SHRINK`, `GROW` and `WRITE`: fcntl.h has them behind _GNU_SOURCE.
    private static let getSeals: Int32 = 1034
    private static let allSeals: Int32 = 0xF

    static let libraries = BuiltPlugins.all + ["Fixtures/Good", "Fixtures/FirstRevision"]

    /// The inode of what is mapped where an address lies, and how it is called.
    private func mapping(of address: UnsafeRawPointer) throws -> (inode: UInt64, name: String) {
        let maps = try processFile("/proc/self/maps")
        for line in maps.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            let range = parts[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
            guard range.count == 2, (range[0]..<range[1]).contains(UInt(bitPattern: address)) else { continue }
            return (UInt64(parts[4]) ?? 0, parts.count > 5 ? String(parts[5].drop { $0 == " " }) : "")
        }
        throw LoadingFailure.unmapped
    }

    /// The descriptors of a sealed copy, by its inode: only files in memory have seals.
    private func copies(_ inode: UInt64) throws -> [Int32] {
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        return descriptors.filter { descriptor in
            var status = stat()
            return fstat(descriptor, &status) == 0 && UInt64(status.st_ino) == inode
                && fcntl(descriptor, Self.getSeals) >= 0
        }
    }

    private enum LoadingFailure: Error { case unmapped }

    @Test(arguments: libraries) func whatIsMappedIsASealedCopyThatNobodyCanChange(_ plugin: String) throws {
        let file = try BuiltPlugins.file(plugin)
        let library = try PluginLibrary(file)
        let mapped = try mapping(of: UnsafeRawPointer(library.table))
        #expect(mapped.name == "/memfd:\(file.manifest.name) (deleted)")
        // The descriptor stays open, so that its number, which the loader goes by, is never another library's.
        let copy = try #require(try copies(mapped.inode).first)
        #expect(fcntl(copy, Self.getSeals) == Self.allSeals)
        var byte: UInt8 = 0
        #expect(pwrite(copy, &byte, 1, 0) == -1 && errno == EPERM)
        #expect(ftruncate(copy, 0) == -1 && errno == EPERM)
        #expect(mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0) == MAP_FAILED)
        // And it is what was verified.
        var bytes = [UInt8](repeating: 0, count: file.image.count)
        #expect(pread(copy, &bytes, bytes.count, 0) == bytes.count)
        #expect(try bytes == file.image.bytes())
        // Not through the descriptor either is it handed on to a program that is started.
        #expect(fcntl(copy, F_GETFD) & FD_CLOEXEC != 0)
    }

    /// Whether a symbol is found without asking the library that has it; what this program is linked with is its own.
    private func isForAll(_ symbol: String) throws -> Bool {
        try #require(dlsym(nil, "malloc") != nil)
        guard let found = dlsym(nil, symbol) else { return false }
        return try mapping(of: found).name.contains("/memfd:")
    }

    @Test(arguments: libraries) func itsSymbolsAreNotThereForOthers(_ plugin: String) throws {
        let file = try BuiltPlugins.file(plugin)
        _ = try PluginLibrary(file)
        #expect(try !isForAll("theatre_plugin_v1_\(file.manifest.name)"))
        #expect(try !isForAll("theatre_create_\(file.manifest.name)"))
    }

    /// What one exports by mistake does not stand in for what another calls by the same name.
    @Test func whatALibraryExportsBesideItsEntryStaysItsOwn() throws {
        let path = "\(BuiltPlugins.folder)/libExportsMore.so"
        let handle = try #require(dlopen(path, RTLD_NOW | RTLD_LOCAL))
        #expect(dlsym(handle, "theatre_plugin_v1_helper") != nil, "the fixture exports nothing more")
        _ = try PluginLibrary(try PluginFile(name: "ExportsMore", path: path))
        #expect(try !isForAll("theatre_plugin_v1_helper"))
        let neighbour = try PluginLibrary(try BuiltPlugins.file("Fixtures/Good"))
        // The loader knows it by the descriptor of its copy.
        let inode = try mapping(of: UnsafeRawPointer(neighbour.table)).inode
        let descriptor = try #require(try copies(inode).first)
        let other = try #require(dlopen("/proc/self/fd/\(descriptor)", RTLD_NOW | RTLD_NOLOAD))
        #expect(dlsym(other, "theatre_plugin_v1_Good") != nil)
        #expect(dlsym(other, "theatre_plugin_v1_helper") == nil)
    }

    @Test func aTableAByteShorterThanThatOfRevisionZeroIsRefused() throws {
        let file = try BuiltPlugins.file("Fixtures/Stunted")
        #expect(file.fault == nil)
        let error = #expect(throws: LoadError.self) { try PluginLibrary(file) }
        #expect(error?.code == "plugin.lies")
        #expect(error?.expected == "a table of at least 104 bytes, as revision 0 has")
        #expect(error?.found == "one of 103 bytes")
    }

    @Test func aLibraryOfRevisionZeroIsLoaded() throws {
        let library = try PluginLibrary(try BuiltPlugins.file("Fixtures/FirstRevision"))
        #expect(library.table.pointee.struct_size == THEATRE_PLUGIN_SIZE_0)
    }
}
