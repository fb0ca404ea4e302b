// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import TheatreManifest

extension Plugins {
    /// `theatre plugins enable`.
    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let an instance serve again that was disabled.")
        @OptionGroup var options: PluginsOptions
        @Argument(help: "Name of an instance.") var instance: String

        func run() throws {
            try Plugins.show(options.demand("enable", ["instance": .string(instance)]), json: options.json)
        }
    }

    /// `theatre plugins disable`.
    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an instance out of service, also over restarts.",
            discussion: "Calls under way end. Kept in STATE/operations.json; plugins.d is not written.")
        @OptionGroup var options: PluginsOptions
        @Argument(help: "Name of an instance.") var instance: String
        @Option(help: "Why, for callers and colleagues.") var reason = ""

        func run() throws {
            try Plugins.show(
                options.demand("disable", ["instance": .string(instance), "reason": .string(reason)]),
                json: options.json)
        }
    }

    /// `theatre plugins quarantine`.
    struct Quarantine: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse every call to an instance at once, until it is released or the host restarts.")
        @OptionGroup var options: PluginsOptions
        @Argument(help: "Name of an instance.") var instance: String
        @Option(help: "Why, for callers and colleagues.") var reason = ""

        func run() throws {
            try Plugins.show(
                options.demand("quarantine", ["instance": .string(instance), "reason": .string(reason)]),
                json: options.json)
        }
    }

    /// `theatre plugins release`.
    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start a quarantined instance as a new generation, whatever put it there.")
        @OptionGroup var options: PluginsOptions
        @Argument(help: "Name of an instance.") var instance: String

        func run() throws {
            try Plugins.show(options.demand("release", ["instance": .string(instance)]), json: options.json)
        }
    }

    /// `theatre plugins swap`.
    struct Swap: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace an instance by a new generation, under load.",
            discussion: """
                The new one is verified, created, activated and tested beside the old one; then calls flip to it, and the
                old one ends what it has. Any fault before the flip leaves the old one serving. A library named by
                --library is used until the host restarts or the instance is swapped without it.
                """)
        @OptionGroup var options: PluginsOptions
        @Argument(help: "Name of an instance.") var instance: String
        @Option(help: "Library to run, in place of the one in the plugins' folder.") var library: String?
        @Flag(help: "Start without the state of the old generation.") var fresh = false

        func run() throws {
            var arguments: [String: JSONValue] = ["instance": .string(instance), "fresh": .bool(fresh)]
            if let library {
                let isAbsolute = library.hasPrefix("/")
                arguments["library"] = .string(
                    isAbsolute ? library : "\(FileManager.default.currentDirectoryPath)/\(library)")
            }
            try Plugins.printSwapped(options.demand("swap", arguments), json: options.json)
        }
    }

    /// `theatre plugins rollback`.
    struct Rollback: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace an instance by what served before its last swap.")
        @OptionGroup var options: PluginsOptions
        @Argument(help: "Name of an instance.") var instance: String

        func run() throws {
            try Plugins.printSwapped(
                options.demand("rollback", ["instance": .string(instance)]), json: options.json)
        }
    }

    /// `theatre plugins logs`.
    struct Logs: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the last lines an instance logged, oldest first.",
            discussion: "The host keeps 1000 lines of each instance in memory.")
        @OptionGroup var options: PluginsOptions
        @Argument(help: "Name of an instance.") var instance: String
        @Option(help: "At most so many lines.") var limit = 100

        func validate() throws {
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is 1 to 1000") }
        }

        func run() throws {
            let answer = try options.demand("logs", ["instance": .string(instance), "limit": .int(limit)])
            if options.json { return try Printing.json(answer) }
            for line in answer.array ?? [] {
                let fields = (line["fields"]?.object ?? [:]).sorted { $0.key < $1.key }.map { key, value in
                    " \(key)=\(value.string ?? "")"
                }.joined()
                print(
                    Printing.time(line["at_ms"]?.integer ?? 0), line["level"]?.string ?? "",
                    "#\(line["generation"]?.integer ?? 0)", (line["message"]?.string ?? "") + fields)
            }
        }
    }

    private static func printSwapped(_ answer: JSONValue, json: Bool) throws {
        if json { return try Printing.json(answer) }
        let name = answer["instance"]?["instance"]?.string ?? ""
        let digest = answer["instance"]?["running_digest"]?.string ?? ""
        print(
            "\(name): generation \(answer["to"]?.integer ?? 0) serves in place of \(answer["from"]?.integer ?? 0), digest \(digest.prefix(12))"
        )
    }
}
