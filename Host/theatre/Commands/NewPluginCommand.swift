// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Scaffold
import TheatreManifest
import Transcoding

extension Language: ExpressibleByArgument {}

/// Which contract, out of which descriptors.
struct ContractOptions: ParsableArguments {
    @Option(help: "The contract: its full name, or as much of its end as is unique, such as http.Handler.")
    var contract: String

    @Option(
        name: .customLong("descriptors"),
        help: "A FileDescriptorSet with the contract, if it is none of TheatreOS's own; may be given several times.")
    var descriptors: [String] = []

    /// Finds the contract.
    func find(_ home: DeveloperHome) throws -> Contract {
        try Contract(contract, in: (descriptors + [home.contracts]).map { try Data(contentsOf: URL(filePath: $0)) })
    }

    /// The templates and contracts to go by.
    static func home() throws -> DeveloperHome {
        do { return DeveloperHome(path: try Installation.current.home()) } catch {
            throw ValidationError("\(error)")
        }
    }
}

/// `theatre plugin new`.
struct NewPluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a plugin that builds, with the language's ordinary tool, and serves.")

    @Argument(help: "Its name, such as PaymentWeChat.")
    var name: String

    @OptionGroup var contract: ContractOptions

    @Option(help: "swift, c, rust, go or zig.")
    var language: Language

    @Option(help: "The folder to make; by default one of the plugin's name.")
    var directory: String?

    @Flag(help: "Only say what would be written.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let home = try ContractOptions.home()
        let contract = try contract.find(home)
        let scaffold = try Scaffold(name: name, contract: contract, language: language, home: home)
        let folder = directory ?? name
        let files = try scaffold.files()
        if !dryRun { try scaffold.write(to: folder) }
        if json {
            let report: JSONValue = .object([
                "name": .string(name), "contract": .string(contract.service.name), "directory": .string(folder),
                "language": .string(language.rawValue), "files": .array(files.map { .string($0.path) }),
                "library": .string(language.library(name)), "build": .string(language.build(name)),
                "written": .bool(!dryRun),
            ])
            print(String(decoding: try report.json(), as: UTF8.self))
        } else {
            for file in files { print("\(dryRun ? "would write" : "wrote") \(folder)/\(file.path)") }
            print("Next: cd \(folder) && \(language.build(name)) && theatre plugin validate \(language.library(name))")
        }
    }
}

extension Language {
    /// What builds a plugin, in its folder.
    func build(_ name: String) -> String {
        switch self {
        case .swift: "swift build"
        case .c: "make"
        case .rust: "cargo build --release"
        case .go: "go build -buildmode=c-shared -o lib\(name).so"
        case .zig: "zig build"
        }
    }

    /// Where the library then is.
    func library(_ name: String) -> String {
        switch self {
        case .swift: ".build/debug/lib\(name).so"
        case .c: "build/lib\(name).so"
        case .rust: "target/release/lib\(name).so"
        case .go: "lib\(name).so"
        case .zig: "zig-out/lib/lib\(name).so"
        }
    }
}

/// `theatre plugin codec`.
struct CodecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codec", abstract: "Write a contract's messages in a language that has no protobuf at hand.")

    @OptionGroup var contract: ContractOptions

    @Option(help: "c, rust, go or zig.")
    var language: Language

    @Option(help: "The folder to write into.")
    var directory = "."

    func run() throws {
        let codec = Codec(try contract.find(try ContractOptions.home()))
        for file in try codec.files(language) {
            try Data(file.text.utf8).write(to: URL(filePath: "\(directory)/\(file.name)"))
            print("wrote \(directory)/\(file.name)")
        }
    }
}
