// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

extension Events {
    /// `theatre events dead`.
    struct Dead: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Events that a consumer refused for good.",
            subcommands: [List.self, Replay.self, Drop.self], defaultSubcommand: List.self)

        /// `theatre events dead list`.
        struct List: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "List dead letters with their reasons.")
            @Option(help: "Only of this consumer.") var consumer = ""
            @Option(help: "Only those after this offset.") var after: Int64 = 0
            @Option(help: "At most so many, 1 to 1000.") var limit: UInt32 = 100
            @OptionGroup var options: OperatorOptions

            func validate() throws {
                guard (1...1000).contains(limit) else { throw ValidationError("--limit is 1 to 1000") }
            }

            func run() throws {
                try options.run { runtime in
                    let name = consumer.isEmpty ? "" : try Events.find(consumer, Events.consumers(runtime)).consumer
                    let request = EventsListDeadLettersRequest.with {
                        $0.consumer = name
                        $0.after = after
                        $0.limit = limit
                    }
                    let letters = try runtime.call(
                        "theatre.events.v1.Log/ListDeadLetters", request, EventsListDeadLettersResponse.self
                    ).letters
                    if options.json { return try Printing.json(.array(letters.map(Self.json))) }
                    var table = TextTable(["consumer", "offset", "type", "aggregate", "attempts", "at", "reason"])
                    for letter in letters {
                        table.add([
                            letter.consumer, "\(letter.event.offset)", letter.event.type, letter.event.aggregate,
                            "\(letter.attempts)", Printing.time(letter.at),
                            "\(letter.reason): \(letter.message)\(letter.requested ? " (to be delivered again)" : "")",
                        ])
                    }
                    print(table.text)
                }
            }

            private static func json(_ letter: EventsDeadLetter) -> JSONValue {
                .object([
                    "consumer": .string(letter.consumer), "event": Events.json(letter.event),
                    "reason": .text(letter.reason), "message": .text(letter.message),
                    "attempts": .int(letter.attempts), "at": .int(letter.at),
                    "requested": .bool(letter.requested),
                ])
            }
        }

        /// Which dead letters.
        struct Choice: ParsableArguments {
            @Argument(help: "The consumer, or its instance.") var consumer: String
            @Argument(help: "Offsets; without them, with --all, all of the consumer.") var offsets: [Int64] = []
            @Flag(help: "All of the consumer.") var all = false
            @Flag(help: "Say which it would be, and change nothing.") var dryRun = false
            @OptionGroup var options: OperatorOptions

            func validate() throws {
                guard offsets.isEmpty == all else {
                    throw ValidationError("name dead letters by their offsets, or all of the consumer by --all")
                }
                guard offsets.count <= 500 else { throw ValidationError("at most 500 offsets at once") }
            }

            func run(_ resolution: EventsDeadLetterResolution, _ done: String) throws {
                try options.run { runtime in
                    let name = try Events.find(consumer, Events.consumers(runtime)).consumer
                    let known = all && !dryRun ? [] : try Self.offsets(runtime, name)
                    if let odd = offsets.first(where: { !known.contains($0) }) {
                        throw ServeFailure("\(name) has no dead letter at offset \(odd); nothing was changed")
                    }
                    if dryRun { return try preview(all ? known : offsets, done) }
                    let request = EventsResolveDeadLettersRequest.with {
                        $0.consumer = name
                        $0.offsets = offsets
                        $0.resolution = resolution
                    }
                    let changed = try runtime.call(
                        "theatre.events.v1.Log/ResolveDeadLetters", request, EventsResolveDeadLettersResponse.self
                    ).changed
                    if options.json { return try Printing.json(.object(["changed": .int(changed)])) }
                    print("\(Printing.count(changed, "dead letter")) \(done)")
                }
            }

            /// Of all dead letters of a consumer.
            private static func offsets(_ runtime: OperatorRuntime, _ name: String) throws -> [Int64] {
                var found: [Int64] = []
                while true {
                    let request = EventsListDeadLettersRequest.with {
                        $0.consumer = name
                        $0.after = found.last ?? 0
                        $0.limit = 100
                    }
                    let page = try runtime.call(
                        "theatre.events.v1.Log/ListDeadLetters", request, EventsListDeadLettersResponse.self
                    ).letters
                    guard !page.isEmpty else { return found }
                    found += page.map(\.event.offset)
                }
            }

            private func preview(_ chosen: [Int64], _ done: String) throws {
                if options.json {
                    return try Printing.json(
                        .object(["dry_run": .bool(true), "offsets": .array(chosen.map { .int($0) })]))
                }
                print("\(Printing.count(chosen.count, "dead letter")) would be \(done); nothing was changed")
            }
        }

        /// `theatre events dead replay`.
        struct Replay: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Ask for another delivery; the host makes it within a second.")
            @OptionGroup var choice: Choice

            func run() throws { try choice.run(.replay, "to be delivered again") }
        }

        /// `theatre events dead drop`.
        struct Drop: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Forget dead letters.")
            @OptionGroup var choice: Choice

            func run() throws { try choice.run(.drop, "dropped") }
        }
    }
}
