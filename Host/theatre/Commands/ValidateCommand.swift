// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import TheatreManifest
import Validator

/// `theatre plugin validate`.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Prove that a library keeps the rules of the plugin interface.",
        discussion: "Each check runs in a process of its own. Ends with status 1 if one fails.")

    @Argument(help: "The library, such as .build/release/libLedger.so.")
    var library: String

    @Flag(help: "Only what ends within a second or two.")
    var quick = false

    @Flag(help: "Print JSON with all evidence.")
    var json = false

    @Option(help: "Only this check; may be given several times.")
    var only: [String] = []

    @Option(help: "Seed of everything random; by default a new one, which is printed.")
    var seed: UInt64?

    @Option(help: "JSON file with the instance's configuration; by default the schema's defaults.")
    var config: String?

    @Option(help: "File that gets the badge: digest, version of the checks, how each ended.")
    var badge: String?

    func run() throws {
        var validation = Validation(
            library: library, seed: seed ?? UInt64.random(in: 0...UInt64(UInt32.max)),
            program: Installation.current.program)
        validation.isQuick = quick
        validation.only = only
        validation.configuration = config
        if let unknown = validation.unknown.first {
            let near = nearestMatch(to: unknown, among: CheckTable.all.map(\.id)).map { "; did you mean \($0)?" } ?? ""
            throw ValidationError("There is no check \(unknown)\(near)")
        }
        let report = try validation.run()
        if json {
            print(String(decoding: try report.json.json(), as: UTF8.self))
        } else {
            print(report.text)
        }
        if let badge { try report.badge.json().write(to: URL(filePath: badge)) }
        if !report.isSound { throw ExitCode(1) }
    }
}

/// `theatre plugin check-one`: the child's side.
struct CheckOneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "check-one", shouldDisplay: false)

    @Argument var library: String
    @Option var check: String
    @Option var seed: UInt64
    @Option var folder: String
    @Option var config: String?
    @Flag var quick = false

    func run() throws {
        let configuration = try config.map { try JSONValue(json: Data(contentsOf: URL(filePath: $0))) }
        CheckChild.run(
            library: library, check: check, seed: seed, folder: folder, configuration: configuration, isQuick: quick)
    }
}
