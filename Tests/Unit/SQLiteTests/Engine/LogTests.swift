// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import SQLite

struct LogTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private func append(_ type: String, channel: String = "") async throws -> Int64 {
        let event = EventsNewEvent.with {
            $0.type = type
            $0.aggregate = "run_1"
            $0.data = "{\"a\":1}"
            $0.channel = channel
        }
        let scope = try fixture.scope("drafting") {
            $0.principal = "usr_1"
            $0.traceparent = "00-1-2-01"
        }
        return try await fixture.engine.append(.with { $0.events = [event] }, for: scope).lastOffset
    }

    private func read(_ change: (inout EventsReadRequest) -> Void) async throws -> EventsReadResponse {
        let request = EventsReadRequest.with(change)
        return try await fixture.engine.read(request, for: fixture.scope("host"))
    }

    @Test func eventsAreReadAsTheyWerePublished() async throws {
        #expect(try await append("draft.scene_written", channel: "user:usr_1") == 1)
        let response = try await read { $0.limit = 10 }
        let event = try #require(response.events.first)
        #expect(response.head == 1)
        #expect(event.offset == 1 && event.type == "draft.scene_written" && event.aggregate == "run_1")
        #expect(
            event.data == "{\"a\":1}" && event.channel == "user:usr_1" && event.tenant == "t1"
                && event.source == "drafting")
        #expect(event.principal == "usr_1" && event.traceparent == "00-1-2-01" && event.at == 1_700_000_000_000)
        #expect(event.eventID.hasPrefix("evt_"))
    }

    @Test func aReaderGetsWhatItAskedFor() async throws {
        for type in ["draft.a", "draft.b", "drafts.a", "draft.a", "order.a"] {
            _ = try await append(type, channel: type == "draft.b" ? "c" : "")
        }
        #expect(try await read { $0.types = ["draft."] }.events.map(\.offset) == [1, 2, 4])
        #expect(try await read { $0.types = ["draft.a"] }.events.map(\.offset) == [1, 4])
        #expect(try await read { $0.types = ["draft.b", "order."] }.events.map(\.offset) == [2, 5])
        #expect(try await read { $0.channels = ["c"] }.events.map(\.offset) == [2])
        #expect(try await read { $0.after = 3 }.events.map(\.offset) == [4, 5])
        let none = try await read { $0.types = ["none."] }
        #expect(none.events.isEmpty && none.head == 5)
        let page = try await read { $0.limit = 2 }
        #expect(page.events.map(\.offset) == [1, 2] && page.head == 2, "going on from the head misses nothing")
    }

    @Test func theOldestEventStillKeptIsTold() async throws {
        #expect(try await read { _ in }.oldest == 1, "nothing was ever published")
        for _ in 0..<4 { _ = try await append("draft.a") }
        #expect(try await read { $0.after = 3 }.oldest == 1)
        try await fixture.commit("host", "DELETE FROM {events} WHERE position <= 2")
        #expect(try await read { $0.limit = 1 }.oldest == 3)
        #expect(try await read { $0.types = ["none."] }.oldest == 3)
        try await fixture.commit("host", "DELETE FROM {events} WHERE position <= 4")
        #expect(try await read { _ in }.oldest == 5, "one past the last where none is kept")
    }

    @Test func aWaitingReaderIsWokenByACommit() async throws {
        async let waiting = read {
            $0.types = ["order."]
            $0.waitMs = 30_000
        }
        _ = try await append("draft.a")
        _ = try await append("order.a")
        let response = try await waiting
        #expect(response.events.map(\.type) == ["order.a"])
    }

    @Test func manyWaitWithoutAThread() async throws {
        // More than there are reader threads, and reads still go through.
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await read { $0.waitMs = 30_000 }.events.count } }
            #expect(try await fixture.query("a", "SELECT 1") == [[SQLValue(1)]])
            _ = try await append("draft.a")
            for try await count in group { #expect(count == 1) }
        }
    }

    @Test func aWaitEndsEmptyAtItsTime() async throws {
        #expect(try await read { $0.waitMs = 20 }.events.isEmpty)
    }

    /// Never as an empty answer, at whatever moment the cancellation comes.
    @Test func aWaitThatIsGivenUpEndsAsCancelled() async throws {
        for turn in 0..<40 {
            let task = Task { try await read { $0.waitMs = 30_000 } }
            for _ in 0..<turn { await Task.yield() }
            task.cancel()
            await #expect(throws: StorageError.cancelled, "after \(turn) turns") { try await task.value }
        }
    }

    @Test func aCursorMovesOnlyFromWhereItIsExpected() async throws {
        func move(_ expected: Int64, _ offset: Int64) async throws -> Int64 {
            let request = EventsMoveCursorRequest.with {
                $0.consumer = "inbox/Deliver"
                $0.expected = expected
                $0.offset = offset
            }
            return try await fixture.engine.moveCursor(request, for: fixture.scope("host")).offset
        }
        #expect(try await move(-1, 0) == 0)
        #expect(try await move(5, 9) == 0)
        #expect(try await move(0, 4) == 4)
        #expect(try await move(0, 9) == 4)
        #expect(try await move(4, 9) == 9)
        #expect(try await move(-1, 100) == 9)
        #expect(await failure { try await move(-2, 1) }?.reason == "sql.cursor")
    }

    @Test func unreadableReadsAreRefused() async throws {
        for change: @Sendable (inout EventsReadRequest) -> Void in [{ $0.limit = 1001 }, { $0.waitMs = 30_001 }] {
            #expect(await failure { try await read(change) }?.reason == "sql.event_read")
        }
    }

    @Test func tooManyEventsAreRefused() async throws {
        let event = EventsNewEvent.with {
            $0.type = "a.b"
            $0.data = "{}"
        }
        let request = EventsAppendRequest.with { $0.events = Array(repeating: event, count: 101) }
        #expect(
            await failure { try await fixture.engine.append(request, for: fixture.scope("a")) }?.reason == "sql.event")
    }
}
