// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
public import FoundationEssentials
internal import Glibc
internal import TheatrePlugin

/// Where a test takes a plugin's library from, built and in whichever language.
///
/// It runs in the test's own process, so a library in Swift must be of the same Swift as the test.
public struct LibrarySource: Sendable {
    private let name: String
    /// Where it may be, the first that is there wins.
    private let paths: [String]

    /// A library that came with TheatreOS: `libNAME.so` in the folders of `THEATRE_PLUGINS`, else beside the installation
    /// that this SDK is of, else in the build folder of its sources.
    public static func installed(_ name: String) -> LibrarySource {
        let sdk = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let prefix = sdk.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let build = sdk.deletingLastPathComponent().appending(path: ".build")
        let named = ProcessInfo.processInfo.environment["THEATRE_PLUGINS"] ?? ""
        let folders =
            named.split(separator: ":").map(String.init) + [
                prefix.appending(path: "lib/theatreos").path, build.appending(path: "debug").path,
                build.appending(path: "release").path,
            ]
        return LibrarySource(name: name, paths: folders.map { "\($0)/lib\(name).so" })
    }

    /// A file, `libNAME.so`.
    public static func file(_ url: URL) -> LibrarySource {
        let file = url.deletingPathExtension().lastPathComponent
        return LibrarySource(name: file.hasPrefix("lib") ? String(file.dropFirst(3)) : file, paths: [url.path])
    }

    /// The table of the library, which stays loaded until the process ends.
    func load() throws -> UnsafePointer<theatre_plugin> {
        guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw PluginError(
                .unavailable, "test.no_library",
                "The library of \(name) was looked for at \(paths.joined(separator: ", ")); install TheatreOS, or name its folder in THEATRE_PLUGINS."
            )
        }
        try Self.loadRuntime(beside: path)
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else { throw Self.refused(path, Self.loaderSays) }
        guard let symbol = dlsym(handle, THEATRE_ENTRY_PREFIX + name),
            let table = unsafeBitCast(symbol, to: theatre_plugin_entry.self)()
        else { throw Self.refused(path, "it has no entry for \(name)") }
        guard table.pointee.struct_size >= THEATRE_PLUGIN_SIZE_0,
            UInt32(table.pointee.abi_major) == THEATRE_ABI_MAJOR, table.pointee.create != nil
        else { throw Self.refused(path, "it speaks another version of the interface") }
        return table
    }

    /// Loads what an installed library may need of Swift and the test itself does not: no installed file says where that is.
    private static func loadRuntime(beside path: String) throws {
        let folder = URL(filePath: path).deletingLastPathComponent().appending(path: "swift").path
        // A build has none: its libraries know where Swift's are.
        guard FileManager.default.fileExists(atPath: folder) else { return }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        // A name that is loaded already is not loaded a second time from here. Which fails shows in what needs it.
        for name in names.sorted() where name.hasSuffix(".so") && dlopen(name, RTLD_NOW | RTLD_NOLOAD) == nil {
            dlopen("\(folder)/\(name)", RTLD_NOW | RTLD_LOCAL)
        }
    }

    private static var loaderSays: String { dlerror().map { String(cString: $0) } ?? "the loader gave no reason" }

    private static func refused(_ path: String, _ reason: String) -> PluginError {
        PluginError(
            .failedPrecondition, "test.library",
            "\(path) cannot be loaded here: \(reason). Test with the Swift that TheatreOS was built with.")
    }
}
