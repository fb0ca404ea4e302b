// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc

/// The folders of the plugins' libraries, in the order in which they are searched.
public struct LibraryPath: Sendable, Hashable, CustomStringConvertible {
    /// At least one.
    public let folders: [String]

    /// Reads folders with colons between them; no text is the working folder.
    public init(_ text: String) {
        let named = text.split(separator: ":").map(String.init)
        folders = named.isEmpty ? ["."] : named
    }

    /// The library of a plugin: the first that is there, else where it would be in the first folder.
    public func file(of plugin: String) -> String {
        let files = folders.map { "\($0)/lib\(plugin).so" }
        return files.first { FileManager.default.fileExists(atPath: $0) } ?? files[0]
    }

    /// The path without links of a file in one of the folders: by its path from a folder, or by its whole path. nil where
    /// it is no file, or lies elsewhere, be it by `..` or by a link.
    public func installed(_ name: String) -> String? {
        for folder in folders {
            guard let root = Self.resolved(folder),
                let path = Self.resolved(name.hasPrefix("/") ? name : "\(folder)/\(name)"),
                path.hasPrefix(root == "/" ? root : "\(root)/")
            else { continue }
            var status = stat()
            if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG { return path }
        }
        return nil
    }

    /// Without links, `.` and `..`; nil where there is nothing.
    private static func resolved(_ path: String) -> String? {
        guard !path.utf8.contains(0), let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// As it was written.
    public var description: String { folders.joined(separator: ":") }
}
