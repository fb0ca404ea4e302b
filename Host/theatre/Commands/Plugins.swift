// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Runtime
import TheatreManifest

/// `theatre plugins`.
struct Plugins: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at libraries without loading them.", subcommands: [List.self, Show.self],
        defaultSubcommand: List.self)

    /// `theatre plugins list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the plugins of a folder.")

        @Option(name: .customLong("plugins"), help: "Folder of the libraries; by default the one of this program.")
        var folder: String?

        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let folder = self.folder ?? DeploymentOptions.ownFolder
            let files = try Plugins.files(in: folder)
            if json {
                let rows = files.map { file in
                    JSONValue.object([
                        "plugin": .string(file.manifest.name), "version": .string(file.manifest.version),
                        "digest": .string(file.digest), "summary": .string(file.manifest.summary),
                        "capabilities": .array(file.manifest.provides.map { .string($0.capability) }),
                        "fault": file.fault.map { .string("\($0)") } ?? .null,
                    ])
                }
                print(String(decoding: try JSONValue.array(rows).json(), as: UTF8.self))
                return
            }
            var table = TextTable(["plugin", "version", "digest", "summary"])
            for file in files {
                table.add([
                    file.manifest.name, file.manifest.version, String(file.digest.prefix(12)),
                    file.fault?.description ?? file.manifest.summary,
                ])
            }
            print(table.text)
        }
    }

    /// `theatre plugins show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the manifest in a library, as it stands there.")

        @Argument(help: "Name of a plugin, such as Ledger.")
        var name: String

        @Option(name: .customLong("plugins"), help: "Folder of the libraries; by default the one of this program.")
        var folder: String?

        func run() throws {
            let folder = self.folder ?? DeploymentOptions.ownFolder
            let file = try PluginFile(name: name, path: "\(folder)/lib\(name).so")
            print(String(decoding: file.manifestBytes, as: UTF8.self))
            if let fault = file.fault { printError("\(fault)") }
        }
    }

    /// Libraries with a manifest, by name.
    private static func files(in folder: String) throws -> [PluginFile] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().compactMap { file in
            guard file.hasPrefix("lib"), file.hasSuffix(".so") else { return nil }
            let name = String(file.dropFirst(3).dropLast(3))
            do throws(LoadError) {
                return try PluginFile(name: name, path: "\(folder)/\(file)")
            } catch {
                if error.code != "plugin.no_manifest" { printError("\(error)") }
                return nil
            }
        }
    }
}
