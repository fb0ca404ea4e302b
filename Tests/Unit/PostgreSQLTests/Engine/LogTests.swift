// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SeededRandom
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

struct LogTests {
    private final class End: Sendable {
        let isReached = Atomic<Bool>(false)
    }

    private func read(_ engine: Engine, after: Int64, wait: UInt32, _ scope: CallerScope) async throws
        -> EventsReadResponse
    {
        try await engine.read(
            .with {
                $0.after = after
                $0.limit = 1000
                $0.waitMs = wait
            }, for: scope)
    }

    /// Never as an empty answer, at whatever moment the cancellation comes.
    @Test func aWaitThatIsGivenUpEndsAsCancelled() async throws {
        let fixture = try await EngineFixture()
        let host = try fixture.scope("host")
        for turn in 0..<40 {
            let task = Task { try await read(fixture.engine, after: 0, wait: 30_000, host) }
            for _ in 0..<turn { await Task.yield() }
            task.cancel()
            await #expect(throws: StorageError.cancelled, "after \(turn) turns") { try await task.value }
        }
    }

    /// Eight writers commit, roll back and dawdle; two engines read meanwhile. Nobody is given an event late, twice or
    /// out of its aggregate's order, and every committed one is given.
    @Test func readersMissNothingOfConcurrentWriters() async throws {
        let fixture = try await EngineFixture()
        let other = try await EngineFixture.open(fixture.server, fixture.database)
        defer { other.close() }
        try await fixture.migrate("counter", entriesTable)
        try await fixture.commit(
            "counter",
            "INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 0), ('b', :tenant, 0), ('c', :tenant, 0)")
        let scope = try fixture.scope("counter")
        let host = try fixture.scope("host")
        let end = End()
        try await withThrowingTaskGroup(of: [EventsEvent].self) { group in
            for engine in [fixture.engine, other] {
                group.addTask {
                    var seen: [EventsEvent] = []
                    var place: Int64 = 0
                    while true {
                        let wasDone = end.isReached.load(ordering: .acquiring)
                        let response = try await read(engine, after: place, wait: 200, host)
                        seen += response.events
                        place = max(place, response.head)
                        if wasDone, response.events.isEmpty { return seen }
                    }
                }
            }
            let written = try await writers(fixture.engine, other, scope)
            end.isReached.store(true, ordering: .releasing)
            for try await seen in group {
                let offsets = seen.map(\.offset)
                #expect(offsets == offsets.sorted() && Set(offsets).count == offsets.count)
                #expect(Set(seen.map(\.data)) == written)
                for aggregate in ["a", "b", "c"] {
                    let numbers = seen.filter { $0.aggregate == aggregate && $0.type == "counter.raised" }
                        .compactMap { Int($0.data.filter(\.isNumber)) }
                    #expect(numbers == numbers.sorted(), "\(aggregate)")
                }
            }
        }
    }

    /// What was committed: the data of each event.
    private func writers(_ first: Engine, _ second: Engine, _ scope: CallerScope) async throws -> Set<String> {
        try await withThrowingTaskGroup(of: Set<String>.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    var random = SeededGenerator(seed: UInt64(writer))
                    var committed: Set<String> = []
                    for round in 0..<20 {
                        let engine = Bool.random(using: &random) ? first : second
                        if let data = try await write(engine, scope, writer, round, &random) { committed.insert(data) }
                    }
                    return committed
                }
            }
            return try await group.reduce(into: []) { $0.formUnion($1) }
        }
    }

    private func write(
        _ engine: Engine, _ scope: CallerScope, _ writer: Int, _ round: Int, _ random: inout SeededGenerator
    ) async throws -> String? {
        let aggregate = ["a", "b", "c"].randomElement(using: &random) ?? "a"
        let kind = Int.random(in: 0..<3, using: &random)
        let commits = Int.random(in: 0..<3, using: &random) > 0
        do {
            if kind == 0 {
                let data = #"{"once":"\#(writer)-\#(round)"}"#
                _ = try await engine.append(.with { $0.events = [event("counter.once", aggregate, data)] }, for: scope)
                return data
            }
            return try await raise(engine, scope, aggregate, commits)
        } catch {
            guard let error = error as? StorageError, error.retry == .safe, error.effect == .none else { throw error }
            return nil
        }
    }

    private func raise(
        _ engine: Engine, _ scope: CallerScope, _ aggregate: String, _ commits: Bool
    ) async throws -> String? {
        let transaction = try await engine.begin(for: scope)
        let rows = try await transaction.run(
            statement("UPDATE {entries} SET n = n + 1 WHERE id = ?1 RETURNING n", [SQLValue(aggregate)]))
        let data = #"{"\#(aggregate)":\#(rows.rows[0].values[0].integer)}"#
        guard commits else {
            transaction.rollback()
            return nil
        }
        _ = try await transaction.commit(.with { $0.events = [event("counter.raised", aggregate, data)] })
        return data
    }

    @Test func anotherHostsCommitWakesAReader() async throws {
        let fixture = try await EngineFixture()
        let other = try await EngineFixture.open(fixture.server, fixture.database)
        defer { other.close() }
        let host = try fixture.scope("host")
        let before = try await read(other, after: 0, wait: 0, host).head
        async let waiting = read(other, after: before, wait: 20_000, host)
        _ = try await fixture.engine.append(.with { $0.events = [event("x.y", "1")] }, for: fixture.scope("a"))
        #expect(try await waiting.events.map(\.type) == ["x.y"])
    }

    @Test func cursorsMoveByCompareAndSet() async throws {
        let engine = try await EngineFixture()
        func move(_ expected: Int64, _ offset: Int64) async throws -> Int64 {
            try await engine.engine.moveCursor(
                .with {
                    $0.consumer = "inbox/Deliver"
                    $0.expected = expected
                    $0.offset = offset
                }
            ).offset
        }
        #expect(try await move(-1, 0) == 0)
        #expect(try await move(3, 5) == 0)
        #expect(try await move(0, 5) == 5)
        #expect(try await move(0, 9) == 5)
        #expect(try await move(5, 2) == 2)
    }

    @Test func deadLettersAreKeptListedAndResolved() async throws {
        let fixture = try await EngineFixture()
        let last = try await fixture.engine.append(
            .with { $0.events = [event("x.y", "1", #"{"n":1}"#)] }, for: fixture.scope("a")
        ).lastOffset
        let add = EventsAddDeadLetterRequest.with {
            $0.consumer = "inbox/Deliver"
            $0.offset = last
            $0.reason = "inbox.bad"
            $0.attempts = 3
        }
        _ = try await fixture.engine.write(DeadLetterRows.add(add, at: 1))
        _ = try await fixture.engine.write(DeadLetterRows.add(add, at: 2))
        let letters = try await fixture.engine.look(DeadLetterRows.list(.init())).letters
        #expect(letters.map(\.event.offset) == [last] && letters[0].reason == "inbox.bad" && letters[0].at == 2)
        let changed = try await fixture.engine.write(
            DeadLetterRows.resolve(
                .with {
                    $0.consumer = "inbox/Deliver"
                    $0.resolution = .drop
                }))
        #expect(changed.changed == 1)
        #expect(try await fixture.engine.look(DeadLetterRows.list(.init())).letters.isEmpty)
    }

    @Test func whatEveryConsumerPassedIsTrimmedAndTheHeadStays() async throws {
        let fixture = try await EngineFixture()
        let host = try fixture.scope("host")
        let last = try await fixture.engine.append(
            .with { $0.events = (0..<10).map { event("x.y", "\($0)") } }, for: fixture.scope("a")
        ).lastOffset
        _ = try await fixture.engine.moveCursor(
            .with {
                $0.consumer = "c"
                $0.offset = last
            })
        let trimmed = try await fixture.engine.write(EventRows.trim(.with { $0.before = .max }))
        #expect(trimmed.removed == 10 && trimmed.oldest == 0)
        let again = try await EngineFixture.open(fixture.server, fixture.database)
        defer { again.close() }
        #expect(try await read(again, after: 0, wait: 0, host).head == last)
    }
}
