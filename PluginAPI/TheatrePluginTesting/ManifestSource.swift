// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials

/// Where a test takes a plugin's manifest from.
public struct ManifestSource: Sendable {
    let read: @Sendable () throws -> Data

    /// `plugin.json` of a folder below `Plugins`: `.plugin("Money/Ledger")`.
    public static func plugin(_ folder: String) -> ManifestSource {
        let here = URL(filePath: #filePath)
        let root = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return file(root.appending(path: "Plugins/\(folder)/plugin.json"))
    }

    /// A file.
    public static func file(_ url: URL) -> ManifestSource { ManifestSource { try Data(contentsOf: url) } }

    /// JSON text.
    public static func json(_ text: String) -> ManifestSource { ManifestSource { Data(text.utf8) } }

    /// Bytes.
    public static func bytes(_ bytes: [UInt8]) -> ManifestSource { ManifestSource { Data(bytes) } }
}
