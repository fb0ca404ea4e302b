// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Control
import FoundationEssentials
import Runtime
import TheatreManifest

/// `theatre plugins`.
struct Plugins: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look after the plugins of a running host, or look at libraries without loading them.",
        discussion: """
            The commands speak to the host that runs on the same state folder, over its Unix socket STATE/control.sock.
            `list` and `show` do without a host: they then read the libraries.
            """,
        subcommands: [
            List.self, Show.self, Enable.self, Disable.self, Quarantine.self, Release.self, Swap.self, Rollback.self,
            Logs.self, Lock.self, Verify.self, Sign.self,
        ],
        defaultSubcommand: List.self)

    /// `theatre plugins list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the instances of the running host, or the plugins of a folder.")
        @OptionGroup var options: PluginsOptions

        @Flag(help: "Read the libraries, whether a host runs or not.")
        var files = false

        func run() throws {
            if !files, let answer = try options.ask("list") {
                if options.json { return try Printing.json(answer) }
                var table = TextTable(["instance", "plugin", "version", "mode", "generation", "digest", "state"])
                for row in answer.array ?? [] { table.add(Plugins.row(row)) }
                return print(table.text)
            }
            try printFiles()
        }

        private func printFiles() throws {
            let files = try Plugins.files(in: options.deployment.libraryFolder)
            guard !options.json else {
                return try Printing.json(.array(files.map(Plugins.json)))
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
            abstract: "Say where an instance of the running host stands, or print the manifest in a library.",
            discussion: "An instance is named as in plugins.d, such as ledger; a plugin by its name, such as Ledger.")
        @OptionGroup var options: PluginsOptions

        @Argument(help: "Name of an instance, or of a plugin.")
        var name: String

        func run() throws {
            do {
                if let answer = try options.ask(
                    "show", ["instance": .string(name)], tolerating: "plugins.unknown_instance")
                {
                    return try Plugins.show(answer, json: options.json)
                }
            } catch let refusal as ControlRefusal {
                let path = LibraryPath(options.deployment.libraryFolder).file(of: name)
                guard FileManager.default.fileExists(atPath: path) else { throw Plugins.failure(refusal) }
            }
            let file: PluginFile
            do throws(LoadError) {
                file = try PluginFile(
                    name: name, path: LibraryPath(options.deployment.libraryFolder).file(of: name))
            } catch {
                printError("\(error)")
                throw ExitCode(1)
            }
            print(String(decoding: file.manifestBytes, as: UTF8.self))
            if let fault = file.fault { printError("\(fault)") }
        }
    }

    /// Libraries with a manifest, by folder and name; of those with the same name the one that would be loaded.
    static func files(in libraries: String) throws -> [PluginFile] {
        var seen: Set<String> = []
        return try LibraryPath(libraries).folders.flatMap { folder in
            try files(ofFolder: folder).filter { seen.insert($0.manifest.name).inserted }
        }
    }

    private static func files(ofFolder folder: String) throws -> [PluginFile] {
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

    private static func json(_ file: PluginFile) -> JSONValue {
        .object([
            "plugin": .string(file.manifest.name), "version": .string(file.manifest.version),
            "digest": .string(file.digest), "summary": .string(file.manifest.summary),
            "capabilities": .array(file.manifest.provides.map { .string($0.capability) }),
            "fault": file.fault.map { .string("\($0)") } ?? .null,
        ])
    }
}
