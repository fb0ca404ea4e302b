// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

/// `theatre events`.
struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the event log, replay it and resolve dead letters, beside a running host or without one.",
        subcommands: [List.self, Read.self, Replay.self, Dead.self, Trim.self], defaultSubcommand: List.self)

    /// `theatre events list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List consumers and how far each has got.")
        @OptionGroup var options: OperatorOptions

        func run() throws {
            try options.run { runtime in
                let log = try Events.consumers(runtime)
                if options.json {
                    return try Printing.json(
                        .object([
                            "head": .int(log.head), "oldest": .int(log.oldest),
                            "consumers": .array(log.consumers.map { Self.json($0, log.head) }),
                        ]))
                }
                var table = TextTable(["consumer", "offset", "behind", "dead letters", "moved at"])
                for consumer in log.consumers {
                    table.add([
                        consumer.consumer, "\(consumer.offset)", "\(max(0, log.head - consumer.offset))",
                        "\(consumer.deadLetters)", Printing.time(consumer.movedAt),
                    ])
                }
                print(table.text)
                print("the log holds offsets \(log.oldest) to \(log.head)")
            }
        }

        private static func json(_ consumer: EventsConsumerStatus, _ head: Int64) -> JSONValue {
            .object([
                "consumer": .string(consumer.consumer), "offset": .int(consumer.offset),
                "behind": .int(max(0, head - consumer.offset)), "dead_letters": .int(consumer.deadLetters),
                "moved_at": .int(consumer.movedAt),
            ])
        }
    }

    /// `theatre events read`.
    struct Read: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print events in order of their offset.")
        @Option(help: "Only those after this offset.") var after: Int64 = 0
        @Option(help: "Only of this type, or of types that begin so where it ends in a dot; may be repeated.")
        var type: [String] = []
        @Option(help: "Only of this aggregate.") var aggregate = ""
        @Option(help: "At most so many, 1 to 1000.") var limit: UInt32 = 100
        @OptionGroup var options: OperatorOptions

        func validate() throws {
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is 1 to 1000") }
        }

        func run() throws {
            try options.run { runtime in
                let request = EventsReadRequest.with {
                    $0.after = after
                    $0.types = type
                    $0.aggregate = aggregate
                    $0.limit = limit
                }
                let events = try runtime.call("theatre.events.v1.Log/Read", request, EventsReadResponse.self).events
                if options.json { return try Printing.json(.array(events.map(Events.json))) }
                var table = TextTable(["offset", "at", "type", "aggregate", "source", "data"])
                for event in events {
                    table.add([
                        "\(event.offset)", Printing.time(event.at), event.type, event.aggregate, event.source,
                        event.data,
                    ])
                }
                print(table.text)
            }
        }
    }

    /// `theatre events replay`.
    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move a consumer's cursor, so that everything after it comes again.",
            discussion: """
                A running host notices within a second. Moved forward, by --skip, what lies between is never delivered.
                """)
        @Argument(help: "The consumer, as `theatre events list` names it; its instance alone is enough.")
        var consumer: String
        @Option(help: "The offset after which events come again; 0: all that are kept.") var after: Int64
        @Flag(help: "Let it move forward, past events that it then never gets.") var skip = false
        @Flag(help: "Say what would come again, and move nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func validate() throws {
            guard after >= 0 else { throw ValidationError("--after is 0 or more") }
        }

        func run() throws {
            try options.run { runtime in
                let log = try Events.consumers(runtime)
                let status = try Events.find(consumer, log)
                guard after <= log.head else {
                    throw ServeFailure("the log ends at \(log.head); --after \(after) lies beyond it")
                }
                guard after <= status.offset || skip || dryRun else {
                    throw ServeFailure(
                        "\(status.consumer) stands at \(status.offset): offsets \(status.offset + 1) to \(after) would never be delivered; say --skip if that is meant"
                    )
                }
                if after + 1 < log.oldest, log.oldest > 0 {
                    printError("events before \(log.oldest) are no longer kept; those after come again")
                }
                if !dryRun { try move(status, runtime) }
                let words = after < status.offset ? "come again" : "are left out"
                if options.json {
                    return try Printing.json(
                        .object([
                            "consumer": .string(status.consumer), "from": .int(status.offset),
                            "to": .int(after), "dry_run": .bool(dryRun),
                        ]))
                }
                let range = "\(min(after, status.offset) + 1) to \(max(after, status.offset))"
                print(
                    after == status.offset
                        ? "\(status.consumer) stands at \(after) already"
                        : "\(status.consumer): offsets \(range) \(dryRun ? "would \(words); nothing was moved" : words)"
                )
            }
        }

        /// The host may move it meanwhile; its move or ours counts, and ours is tried again.
        private func move(_ status: EventsConsumerStatus, _ runtime: OperatorRuntime) throws {
            var expected = status.offset
            for _ in 0..<20 {
                let request = EventsMoveCursorRequest.with {
                    $0.consumer = status.consumer
                    $0.expected = expected
                    $0.offset = after
                }
                let response = try runtime.call(
                    "theatre.events.v1.Log/MoveCursor", request, EventsMoveCursorResponse.self)
                if response.offset == after { return }
                expected = response.offset
            }
            throw ServeFailure("the cursor of \(status.consumer) moves too fast; try again when less is delivered")
        }
    }

    /// `theatre events trim`.
    struct Trim: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove events that every consumer has passed.")
        @Option(help: "Only those older than so many days, 0 to 36500.") var olderThan: Double
        @Flag(help: "Say how far it would go, and remove nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func validate() throws {
            guard (0...36_500).contains(olderThan) else { throw ValidationError("--older-than is 0 to 36500 days") }
        }

        func run() throws {
            try options.run { runtime in
                let before = Int64(Date().timeIntervalSince1970 * 1000 - olderThan * 86_400_000)
                if dryRun { return try preview(runtime, before) }
                var removed = 0
                while true {
                    let request = EventsTrimRequest.with {
                        $0.before = before
                        $0.limit = 1000
                    }
                    let step = try runtime.call("theatre.events.v1.Log/Trim", request, EventsTrimResponse.self).removed
                    removed += Int(step)
                    if step < 1000 { break }
                }
                if options.json { return try Printing.json(.object(["removed": .int(removed)])) }
                print("\(Printing.count(removed, "event")) removed")
            }
        }

        private func preview(_ runtime: OperatorRuntime, _ before: Int64) throws {
            let log = try Events.consumers(runtime)
            let passed = log.consumers.map(\.offset).min() ?? log.head
            let count = Int(try removable(runtime, before))
            if options.json {
                return try Printing.json(
                    .object([
                        "dry_run": .bool(true), "before": .int(before), "passed_by_all": .int(passed),
                        "oldest": .int(log.oldest), "removable": .int(count),
                    ]))
            }
            print(
                "\(Printing.count(count, "event")) up to offset \(passed), stored before \(Printing.time(before)), would be removed; the oldest kept is \(log.oldest); nothing was removed"
            )
        }

        /// How many the log would let go, as it counts them itself.
        private func removable(_ runtime: OperatorRuntime, _ before: Int64) throws -> Int64 {
            var request = EventsPreviewTrimRequest.with { $0.before = before }
            var count: Int64 = 0
            repeat {
                let response = try runtime.call(
                    "theatre.events.v1.Log/PreviewTrim", request, EventsPreviewTrimResponse.self)
                count += response.removable
                request.after = response.next
            } while request.after > 0
            return count
        }
    }

    static func consumers(_ runtime: OperatorRuntime) throws -> EventsListConsumersResponse {
        try runtime.call("theatre.events.v1.Log/ListConsumers", EventsListConsumersRequest())
    }

    /// A consumer by its name or its instance's.
    static func find(_ name: String, _ log: EventsListConsumersResponse) throws -> EventsConsumerStatus {
        let found = log.consumers.filter { $0.consumer == name || $0.consumer.hasPrefix("\(name)/") }
        guard found.count != 1 else { return found[0] }
        guard found.isEmpty else {
            let names = found.map(\.consumer).joined(separator: ", ")
            throw ServeFailure("\(name) has several consumers, name one of them: \(names)")
        }
        let known = log.consumers.map(\.consumer).joined(separator: ", ")
        throw ServeFailure("no consumer is named \(name); there are \(known.isEmpty ? "none" : known)")
    }

    /// An event with all its fields.
    static func json(_ event: EventsEvent) -> JSONValue {
        .object([
            "offset": .int(event.offset), "event_id": .string(event.eventID), "type": .string(event.type),
            "aggregate": .string(event.aggregate), "data": .bytes(Data(event.data.utf8)),
            "channel": .text(event.channel), "at": .int(event.at), "tenant": .text(event.tenant),
            "source": .text(event.source), "traceparent": .text(event.traceparent),
            "principal": .text(event.principal),
        ])
    }
}
