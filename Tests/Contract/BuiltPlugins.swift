// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import TheatreManifest

/// The plugins of this package as they were built: sources and libraries.
enum BuiltPlugins {
    /// The root of the package.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Where the libraries and this test were built.
    static let folder: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "."
        return own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
    }()

    /// `Group/Name` of every folder with a manifest.
    static let all: [String] = {
        let files = FileManager.default
        return names("Plugins").flatMap { group in
            names("Plugins/\(group)").map { "\(group)/\($0)" }
        }.filter { files.fileExists(atPath: "\(root)/Plugins/\($0)/plugin.json") }
    }()

    private static func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)")) ?? []).sorted()
    }

    /// The name of `Group/Name`.
    static func name(_ plugin: String) -> String { String(plugin.drop { $0 != "/" }.dropFirst()) }

    /// Its library, verified.
    static func file(_ plugin: String) throws -> PluginFile {
        try PluginFile(name: name(plugin), path: "\(folder)/lib\(name(plugin)).so")
    }

    /// A file of its source folder.
    static func source(_ plugin: String, _ file: String) throws -> String {
        try String(contentsOf: URL(filePath: "\(root)/Plugins/\(plugin)/\(file)"), encoding: .utf8)
    }

    /// The configurations that the default deployment gives it; one empty where it has none there.
    static func configurations(_ plugin: String) throws -> [JSONValue] {
        let folder = "\(root)/plugins.d"
        let found = try names("plugins.d").filter { $0.hasSuffix(".yaml") }.compactMap { file -> JSONValue? in
            let text = try String(contentsOf: URL(filePath: "\(folder)/\(file)"), encoding: .utf8)
            let document = try YAMLDocument(file: file, text: text)
            guard document.value["plugin"]?.string == name(plugin) else { return nil }
            return document.value["config"] ?? .object([:])
        }
        return found.isEmpty ? [.object([:])] : found
    }
}
