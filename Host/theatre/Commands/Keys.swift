// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Registry
import Runtime
import Services
import TheatreManifest

/// `theatre keys`.
struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look after the keys that the host signs with, beside a running host or without one.",
        discussion: """
            A key has versions, each a file of the keys folder. A new one is published first and signs later, so that \
            whoever verifies knows it by then; old ones go on being verified by until they are retired. A running host \
            takes changes up by itself within seconds. Keys that secrets hold are rotated by `theatre secrets put`.
            """,
        subcommands: [List.self, Rotate.self, Retire.self], defaultSubcommand: List.self)

    /// `theatre keys list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the versions of every key.")
        @OptionGroup var options: OperatorOptions

        func run() throws {
            let keys = try DeployedKeys(options)
            var table = TextTable(["key", "version", "algorithm", "kid", "signs from", "state"])
            var rows: [JSONValue] = []
            for name in try keys.names() {
                let files = try keys.files(of: name)
                let rotation = KeyRotation(files, at: keys.now)
                for file in files {
                    rows.append(Keys.json(name, file, rotation.state(of: file)))
                    table.add([
                        name, "\(file.number)", file.version.algorithm, file.version.id,
                        Printing.time(file.version.signsFrom), rotation.state(of: file).rawValue,
                    ])
                }
            }
            if options.json { return try Printing.json(.array(rows)) }
            print(table.text)
        }
    }

    /// `theatre keys rotate`.
    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the next version of a key, which signs once it was published for a while.")
        @Argument(help: "The key's name.") var name: String
        @Option(help: "When it begins to sign: in seconds, or 15m, 2h, 1d. 0: at once, for a key that was stolen.")
        var after = Span(seconds: KeyRotation.leadSeconds)
        @Flag(help: "Say what would be made, and make nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func run() throws {
            let keys = try DeployedKeys(options)
            let files = try keys.files(of: name)
            guard let newest = files.first else {
                throw Keys.failure("there is no key \(name); `theatre keys list` shows those that are there")
            }
            guard !newest.name.hasSuffix(".whsec") else {
                throw Keys.failure(
                    "\(name) is a secret that another party made; put its next as \(newest.number + 1).whsec")
            }
            if let waiting = KeyRotation(files, at: keys.now).waiting, after.seconds > 0 {
                throw Keys.failure(
                    "version \(waiting.number) of \(name) signs from \(Printing.time(waiting.version.signsFrom)) on; "
                        + "retire it first, or rotate with --after 0")
            }
            let number = newest.number + 1
            let start = keys.now / 1000 + after.seconds
            var made: KeyFolder.File?
            if !dryRun {
                do throws(CallError) {
                    made = try keys.folder.add(
                        number, of: name, algorithm: newest.version.algorithm, signsFrom: start)
                } catch { throw Keys.failure("\(error.reason): \(error.message)") }
            }
            if options.json {
                var members: [String: JSONValue] = [
                    "key": .string(name), "version": .int(number), "algorithm": .string(newest.version.algorithm),
                    "signs_from": .int(start * 1000), "dry_run": .bool(dryRun),
                ]
                if let made { members["kid"] = .string(made.version.id) }
                return try Printing.json(.object(members))
            }
            print(
                "\(name): version \(number)\(made.map { ", \($0.version.id)," } ?? "") "
                    + "\(dryRun ? "would be made" : "is made") and \(dryRun ? "would sign" : "signs") from "
                    + "\(Printing.time(start * 1000)) on")
            if newest.version.algorithm != "HS256", after.seconds < KeyRotation.publishedSeconds {
                printError(
                    "others may keep the key set for \(KeyRotation.publishedSeconds) seconds: until then they may not "
                        + "know what signs")
            }
        }
    }

    /// `theatre keys retire`.
    struct Retire: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an old version of a key, once nothing that it made can count.",
            discussion: """
                How long what a key made counts is said by the manifests of those who use it; where it is not, for ever. \
                Whatever a version made that is removed counts no more. A kid that begins with - is given after --.
                """)
        @Argument(help: "The key's name.") var name: String
        @Argument(help: "The version: its kid, or its number.") var kid: String
        @Flag(help: "Also where what it made may still count. Never the version that signs.") var force = false
        @Flag(help: "Say what would be removed, and remove nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func run() throws {
            let keys = try DeployedKeys(options)
            let files = try keys.files(of: name)
            let named = files.first { $0.version.id == kid } ?? files.first { "\($0.number)" == kid }
            guard let file = named else {
                throw Keys.failure("\(name) has no version \(kid); `theatre keys list` shows them")
            }
            let objection = KeyRotation(files, at: keys.now).objection(to: file, lifetime: keys.lifetime(of: name))
            if let words = refusal(objection, file) { throw Keys.failure(words) }
            if !dryRun {
                do throws(CallError) { try keys.folder.remove(file, of: name) } catch {
                    throw Keys.failure("\(error.reason): \(error.message)")
                }
            }
            if options.json {
                return try Printing.json(
                    .object([
                        "key": .string(name), "version": .int(file.number), "kid": .string(file.version.id),
                        "dry_run": .bool(dryRun),
                    ]))
            }
            print("\(name): version \(file.number), \(file.version.id), \(dryRun ? "would be removed" : "is removed")")
        }

        private func refusal(_ objection: KeyRotation.Objection?, _ file: KeyFolder.File) -> String? {
            let version = "version \(file.number) of \(name)"
            switch objection {
            case nil: return nil
            case .signs: return "\(version) signs; rotate the key first"
            case _ where force: return nil
            case .countsForEver: return "what \(version) made counts for ever; --force removes it all the same"
            case .unknownEnd:
                return "it is not known since when \(version) does not sign; --force removes it all the same"
            case .countsYet(let seconds):
                return "what \(version) made may count for \(Printing.count(seconds, "more second")); "
                    + "--force removes it all the same"
            }
        }
    }

    /// `90`, `90s`, `15m`, `2h` or `1d`; at most a year.
    struct Span: ExpressibleByArgument, CustomStringConvertible {
        let seconds: Int64
        var description: String { "\(seconds)" }

        init(seconds: Int64) { self.seconds = seconds }

        init?(argument: String) {
            let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
            let unit = argument.last.flatMap { units[$0] }
            guard let number = Int64(unit == nil ? argument[...] : argument.dropLast()), number >= 0,
                number <= 31_536_000 / (unit ?? 1)
            else { return nil }
            seconds = number * (unit ?? 1)
        }
    }

    static func failure(_ words: String) -> ExitCode {
        printError(words)
        return ExitCode(1)
    }

    private static func json(_ name: String, _ file: KeyFolder.File, _ state: KeyRotation.State) -> JSONValue {
        .object([
            "key": .string(name), "version": .int(file.number), "algorithm": .string(file.version.algorithm),
            "kid": .string(file.version.id),
            "signs_from": file.version.signsFrom == 0 ? .null : .int(file.version.signsFrom),
            "state": .string(state.rawValue),
        ])
    }
}

/// The keys of a deployment as its files have them.
private struct DeployedKeys {
    let folder: KeyFolder
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    private let deployment: CompiledDeployment

    init(_ options: OperatorOptions) throws {
        do throws(DeploymentFaults) {
            deployment = try CompiledDeployment.read(
                folder: options.deployment.pluginsD, libraries: options.deployment.libraryFolder)
        } catch {
            printError("\(error)\nnothing was done; `theatre check` shows the same")
            throw ExitCode(1)
        }
        let host = deployment.host
        folder = KeyFolder("\(options.state ?? host.state)/\(host.keysFolder)")
    }

    /// Those that have files.
    func names() throws -> [String] {
        do throws(CallError) { return try folder.names() } catch {
            throw Keys.failure("\(error.reason): \(error.message)")
        }
    }

    func files(of name: String) throws -> [KeyFolder.File] {
        // Looking at a key that is not there must not make its folder.
        guard try names().contains(name) else { return [] }
        do throws(CallError) { return try folder.files(of: name) } catch {
            throw Keys.failure("\(error.reason): \(error.message)")
        }
    }

    /// The longest that anybody who is granted the key says; nil where one of them says nothing, or nobody is.
    func lifetime(of name: String) -> Int64? {
        guard name != deployment.host.auditKey else { return nil }
        var longest: Int64?
        for instance in deployment.table.instances {
            for key in instance.plugin.manifest.grants.keys where instance.declaration.grants.keys[key.name] == name {
                guard let lifetime = key.lifetimeSeconds else { return nil }
                longest = max(longest ?? 0, lifetime)
            }
        }
        return longest
    }
}
