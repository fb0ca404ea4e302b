// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreStorage

@testable import SQLite

/// Consumers, dead letters and what goes.
struct LogKeepingTests {
    let clock = EngineClock()
    let fixture: EngineFixture

    init() throws {
        let clock = clock
        fixture = try EngineFixture(now: { clock.now })
    }

    private var host: CallerScope { get throws { try fixture.scope("host") } }

    private func append(_ count: Int, aggregate: String = "x") async throws {
        let events = (0..<count).map { _ in
            EventsNewEvent.with {
                $0.type = "a.done"
                $0.aggregate = aggregate
                $0.data = #"{"n": 1}"#
            }
        }
        _ = try await fixture.engine.append(.with { $0.events = events }, for: fixture.scope("a"))
    }

    private func move(_ consumer: String, to offset: Int64, from expected: Int64) async throws -> Int64 {
        try await fixture.engine.moveCursor(
            .with {
                $0.consumer = consumer
                $0.expected = expected
                $0.offset = offset
            }, for: host
        ).offset
    }

    @Test func aCursorMovesOnlyFromWhereItIsExpected() async throws {
        #expect(try await move("c", to: 5, from: 1) == 0, "it stands at 0")
        #expect(try await move("c", to: 5, from: 0) == 5)
        #expect(try await move("c", to: 9, from: 0) == 5)
        #expect(try await move("c", to: 2, from: 5) == 2, "back, for a replay")
        #expect(try await move("c", to: 0, from: -1) == 2)
    }

    @Test func onlyOneAggregateIsRead() async throws {
        try await append(2)
        try await append(3, aggregate: "y")
        let read = try await fixture.engine.read(.with { $0.aggregate = "y" }, for: host)
        #expect(read.events.map(\.offset) == [3, 4, 5] && read.head == 5 && read.oldest == 1)
    }

    @Test func anEventIsSetAsideOnceAskedForAndForgotten() async throws {
        try await append(3)
        _ = try await move("c", to: 2, from: 0)
        func add(_ reason: String) async throws {
            _ = try await fixture.engine.addDeadLetter(
                .with {
                    $0.consumer = "c"
                    $0.offset = 2
                    $0.reason = reason
                    $0.attempts = 4
                }, for: host)
        }
        func letters(requested: Bool = false) async throws -> [EventsDeadLetter] {
            try await fixture.engine.listDeadLetters(
                .with {
                    $0.consumer = "c"
                    $0.requested = requested
                }, for: host
            ).letters
        }
        func resolve(_ resolution: EventsDeadLetterResolution, _ offsets: [Int64] = []) async throws -> UInt32 {
            try await fixture.engine.resolveDeadLetters(
                .with {
                    $0.consumer = "c"
                    $0.offsets = offsets
                    $0.resolution = resolution
                }, for: host
            ).changed
        }
        try await add("x.broken")
        let letter = try #require(try await letters().first)
        #expect(
            letter.event.offset == 2 && letter.event.data == #"{"n": 1}"# && letter.reason == "x.broken"
                && letter.attempts == 4)
        #expect(try await fixture.engine.listConsumers(for: host).consumers.map(\.deadLetters) == [1])
        #expect(try await resolve(.replay, [2]) == 1)
        #expect(try await letters(requested: true).count == 1)
        try await add("x.again")
        let again = try await letters()
        #expect(again.count == 1 && again[0].reason == "x.again" && !again[0].requested)
        #expect(try await resolve(.drop) == 1)
        #expect(try await letters().isEmpty)
        let unknown = await failure {
            _ = try await fixture.engine.addDeadLetter(
                .with {
                    $0.consumer = "c"
                    $0.offset = 99
                }, for: host)
        }
        #expect(unknown?.reason == "sql.unknown_event")
    }

    @Test func whatEveryConsumerHasPassedGoesAfterItsTime() async throws {
        try await append(4)
        clock.advance(31 * 86_400_000)
        try await append(2)
        _ = try await move("slow", to: 2, from: 0)
        _ = try await move("fast", to: 6, from: 0)
        let before = clock.now - 30 * 86_400_000
        let first = try await fixture.engine.trim(.with { $0.before = before }, for: host)
        #expect(first.removed == 2 && first.oldest == 3)
        _ = try await move("slow", to: 6, from: 2)
        let one = try await fixture.engine.trim(
            .with {
                $0.before = before
                $0.limit = 1
            }, for: host)
        #expect(one.removed == 1 && one.oldest == 4)
        let rest = try await fixture.engine.trim(.with { $0.before = before }, for: host)
        #expect(rest.removed == 1 && rest.oldest == 5)
        let list = try await fixture.engine.listConsumers(for: host)
        #expect(list.head == 6 && list.oldest == 5 && list.consumers.map(\.consumer) == ["fast", "slow"])
    }

    /// How long events are kept is the host's to say: writing, years later, removes none by itself.
    @Test func eventsStayUntilTheyAreTrimmed() async throws {
        try await append(3)
        clock.advance(3650 * 86_400_000)
        try await append(1)
        for _ in 0..<10 { _ = try await fixture.engine.writer.run(for: host) { _ in } }
        #expect(try await fixture.engine.read(EventsReadRequest(), for: host).events.count == 4)
    }
}
