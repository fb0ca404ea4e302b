// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// The event log: with the change it tells of, in order per aggregate, none skipped, on every engine.
@Suite(.closing) struct EventTests {
    @Test(arguments: Engine.allCases)
    func eventsComeWithTheirChangeOrNotAtAll(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        struct Changed: Error {}
        try? await storage.database().write { tx in
            try await tx.run("INSERT INTO {accounts} (tenant, id) VALUES (:tenant, 'x')")
            tx.publish(type: "notes.lost", aggregate: "x", data: "{}")
            throw Changed()
        }
        try await storage.database().write { tx in
            try await tx.run("INSERT INTO {accounts} (tenant, id) VALUES (:tenant, 'x')")
            tx.publish(type: "notes.made", aggregate: "x", data: #"{"n": 1}"#, channel: "user:usr_1")
        }
        let answer = try await storage.log.read(.with { $0.waitMs = 5000 })
        let event = try #require(answer.events.first)
        #expect(
            answer.events.count == 1 && event.type == "notes.made" && event.tenant == "t1" && event.source == "notes")
        #expect(event.channel == "user:usr_1" && event.principal == "usr_1" && event.eventID.hasPrefix("evt_"))
        #expect(answer.head >= event.offset && answer.oldest == event.offset)
    }

    @Test(arguments: Engine.allCases)
    func onlyWhatIsGrantedIsPublished(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().commit { $0.publish(type: "ledger.entry", aggregate: "x", data: "{}") }
        }
        #expect(error?.reason == "sql.event_not_granted")
    }

    @Test(arguments: Engine.allCases)
    func aReaderIsWokenByAPublish(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let log = storage.log
        async let waiting = log.read(.with { $0.waitMs = 20_000 })
        try await storage.database().commit { $0.publish(type: "notes.made", aggregate: "x", data: "{}") }
        #expect(try await waiting.events.map(\.type) == ["notes.made"])
    }

    @Test(arguments: Engine.allCases)
    func readsAreFilteredByTypeChannelAndAggregate(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.database().commit {
            $0.publish(type: "notes.made", aggregate: "a", data: "{}", channel: "user:1")
            $0.publish(type: "notes.sent", aggregate: "b", data: "{}", channel: "user:2")
            $0.publish(type: "notes.sent", aggregate: "a", data: "{}")
        }
        func types(_ edit: (inout EventsReadRequest) -> Void) async throws -> [String] {
            var request = EventsReadRequest()
            request.waitMs = 5000
            edit(&request)
            return try await storage.log.read(request).events.map { $0.type + $0.aggregate }
        }
        #expect(try await types { _ in } == ["notes.madea", "notes.sentb", "notes.senta"])
        #expect(try await types { $0.types = ["notes.sent"] } == ["notes.sentb", "notes.senta"])
        #expect(try await types { $0.types = ["notes."] }.count == 3)
        #expect(try await types { $0.channels = ["user:2"] } == ["notes.sentb"])
        #expect(try await types { $0.aggregate = "a" } == ["notes.madea", "notes.senta"])
        #expect(try await types { $0.limit = 1 } == ["notes.madea"])
    }

    /// Writers that commit late, roll back and race: a reader that goes on from `head` sees each event once, and each
    /// aggregate in the order of its counter.
    @Test(arguments: Engine.allCases)
    func aReaderMissesNothingWhileManyWrite(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(5, amount: 0)
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for client in 0..<6 {
                group.addTask { try await publish(storage.database(), client) }
            }
            group.addTask {
                // Reads beside the writers, and checks what it sees; counts nothing.
                var last: [String: Int] = [:]
                var after: Int64 = 0
                var seen = 0
                while seen < 6 * 20 {
                    let answer = try await storage.log.read(
                        .with {
                            $0.after = after
                            $0.waitMs = 10_000
                            $0.limit = 7
                        })
                    for event in answer.events {
                        let number = try #require(Int(event.data.filter(\.isNumber)))
                        #expect(number == (last[event.aggregate] ?? 0) + 1, "\(event.aggregate) at \(event.offset)")
                        last[event.aggregate] = number
                        seen += 1
                    }
                    try #require(!answer.events.isEmpty, "the log stands still at \(after) with \(seen) seen")
                    after = answer.head
                }
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect(total == 6 * 20)
    }

    private func publish(_ db: Database, _ client: Int) async throws -> Int {
        struct Changed: Error {}
        var random = SeededGenerator(seed: UInt64(client) + 77)
        var done = 0
        while done < 20 {
            let id = "a\(Int.random(in: 0..<5, using: &random))"
            let fails = Int.random(in: 0..<4, using: &random) == 0
            do {
                try await again {
                    try await db.write(WriteOptions(attempts: 500)) { tx in
                        let rows = try await tx.run(
                            "UPDATE {accounts} SET amount = amount + 1 WHERE id = ?1 RETURNING amount", id)
                        tx.publish(
                            type: "notes.counted", aggregate: id, data: "{\"n\": \(try rows[0].int("amount"))}")
                        if fails { throw Changed() }
                    }
                }
                done += 1
            } catch is Changed {}
        }
        return done
    }

    @Test(arguments: Engine.allCases)
    func cursorsMoveByCompareAndSet(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        func move(_ expected: Int64, _ offset: Int64) async throws -> Int64 {
            try await storage.log.moveCursor(
                .with {
                    $0.consumer = "inbox/Deliver"
                    $0.expected = expected
                    $0.offset = offset
                }
            ).offset
        }
        #expect(try await move(-1, 0) == 0)
        #expect(try await move(0, 5) == 5)
        #expect(try await move(4, 9) == 5)
        #expect(try await move(5, 2) == 2)
        let listed = try await storage.log.listConsumers(.init()).consumers
        #expect(listed.map(\.consumer) == ["inbox/Deliver"] && listed[0].offset == 2)
    }

    @Test(arguments: Engine.allCases)
    func deadLettersOutliveTheLog(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.database().commit {
            for index in 0..<3 { $0.publish(type: "notes.made", aggregate: "a\(index)", data: "{}") }
        }
        let events = try await storage.log.read(.with { $0.waitMs = 5000 }).events
        for _ in 0..<2 {
            _ = try await storage.log.addDeadLetter(
                .with {
                    $0.consumer = "inbox/Deliver"
                    $0.offset = events[1].offset
                    $0.reason = "inbox.bad"
                    $0.message = "It cannot be read."
                    $0.attempts = 20
                })
        }
        _ = try await storage.log.moveCursor(
            .with {
                $0.consumer = "inbox/Deliver"
                $0.expected = 0
                $0.offset = events[2].offset
            })
        let trimmed = try await storage.log.trim(.with { $0.before = .max })
        #expect(trimmed.removed >= 2)
        let letters = try await storage.log.listDeadLetters(.with { $0.consumer = "inbox/Deliver" }).letters
        #expect(letters.count == 1 && letters[0].event == events[1] && letters[0].reason == "inbox.bad")
        #expect(!letters[0].requested)
        _ = try await storage.log.resolveDeadLetters(
            .with {
                $0.consumer = "inbox/Deliver"
                $0.resolution = .replay
            })
        #expect(try await storage.log.listDeadLetters(.with { $0.requested = true }).letters.count == 1)
        let dropped = try await storage.log.resolveDeadLetters(
            .with {
                $0.consumer = "inbox/Deliver"
                $0.offsets = [events[1].offset]
                $0.resolution = .drop
            })
        #expect(dropped.changed == 1)
        #expect(try await storage.log.listDeadLetters(.init()).letters.isEmpty)
    }

    @Test(arguments: Engine.allCases)
    func nothingAConsumerStillNeedsIsTrimmed(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.database().commit {
            for index in 0..<5 { $0.publish(type: "notes.made", aggregate: "a\(index)", data: "{}") }
        }
        let events = try await storage.log.read(.with { $0.waitMs = 5000 }).events
        _ = try await storage.log.moveCursor(
            .with {
                $0.consumer = "slow/Deliver"
                $0.expected = 0
                $0.offset = events[1].offset
            })
        let trimmed = try await storage.log.trim(.with { $0.before = .max })
        #expect(trimmed.removed == 2 && trimmed.oldest == events[2].offset)
        let left = try await storage.log.read(.init())
        #expect(left.events.map(\.offset) == events[2...].map(\.offset) && left.oldest == events[2].offset)
    }

    @Test(arguments: Engine.allCases)
    func aPreviewCountsWhatTrimThenRemoves(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        func publish(_ count: Int) async throws {
            for _ in 0..<count / 100 {
                try await storage.database().commit {
                    for _ in 0..<100 { $0.publish(type: "notes.made", aggregate: "a", data: "{}") }
                }
            }
        }
        func preview(before: Int64, after: Int64 = 0, limit: UInt32 = 0) async throws -> EventsPreviewTrimResponse {
            try await storage.log.previewTrim(
                .with {
                    $0.before = before
                    $0.after = after
                    $0.limit = limit
                })
        }
        #expect(try await preview(before: .max) == EventsPreviewTrimResponse())
        try await publish(2300)
        storage.host.advance(milliseconds: 60_000)
        let later = storage.host.now
        try await publish(200)
        // All that is old enough, at once and by pages.
        #expect(try await preview(before: later).removable == 2300)
        #expect(try await preview(before: later).next == 0)
        let pages = [
            try await preview(before: later, limit: 1000), try await preview(before: later, limit: 2000),
        ]
        #expect(pages.map(\.removable) == [1000, 2000] && pages.allSatisfy { $0.next > 0 })
        let rest = try await preview(before: later, after: pages[0].next, limit: 1000)
        let last = try await preview(before: later, after: pages[1].next, limit: 1000)
        #expect(rest.removable == 1000 && rest.next == pages[1].next && last.removable == 300 && last.next == 0)
        #expect(try await preview(before: .max).removable == 2500)
        // As far as a consumer is.
        var read = EventsReadResponse()
        while read.events.count < 1000 {
            read = try await storage.log.read(
                .with {
                    $0.limit = 1000
                    $0.waitMs = 5000
                })
        }
        _ = try await storage.log.moveCursor(
            .with {
                $0.consumer = "slow/Deliver"
                $0.expected = 0
                $0.offset = read.events[699].offset
            })
        #expect(try await preview(before: later).removable == 700)
        #expect(try await preview(before: later).next == 0)
        #expect(try await storage.log.trim(.with { $0.before = later }).removed == 700)
        #expect(try await preview(before: later) == EventsPreviewTrimResponse())
        for limit: UInt32 in [999, 1500, 101_000] {
            await #expect { try await preview(before: later, limit: limit) } throws: {
                ($0 as? PluginError)?.reason == "sql.trim"
            }
        }
    }
}
