// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatreStorage

@testable import SQLite

/// Reads on the thread that asks.
struct ShortReadTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private static func counting(to last: Int) -> String {
        "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < \(last)) SELECT COUNT(*) FROM c"
    }

    private var connections: ShortReads { fixture.engine.shortReads }

    @Test func aShortReadIsOverOnItsThreadAndALongOneIsNot() async throws {
        let scope = try fixture.scope("a")
        func rows(_ last: Int) throws -> SQLRows? {
            try connections.run {
                try $0.run(statement(Self.counting(to: last)), for: scope, mode: .read, bounds: .none)
            }
        }
        #expect(try rows(10)?.rows.first?.values.first?.integer == 10)
        #expect(try rows(100_000) == nil)
        // What was given up leaves nothing behind.
        #expect(try rows(11)?.rows.first?.values.first?.integer == 11)
        #expect(try await fixture.query("a", Self.counting(to: 100_000)).first?.first?.integer == 100_000)
    }

    @Test func manyShortReadsNeverAddUpToALongOne() throws {
        let scope = try fixture.scope("a")
        for _ in 0..<2000 {
            let rows = try connections.run {
                try $0.run(statement(Self.counting(to: 10)), for: scope, mode: .read, bounds: .none)
            }
            #expect(rows != nil)
        }
    }

    @Test func whereEveryConnectionIsTakenAReaderReads() async throws {
        try await fixture.migrate("a", entriesTable)
        let isRefused = try connections.run { _ in try connections.run { _ in try connections.run { _ in true } } }
        #expect(isRefused == .some(.some(nil)))
        #expect(try await fixture.query("a", "SELECT n FROM {entries} WHERE tenant = :tenant").isEmpty)
    }

    @Test func aReadSeesEveryCommitBeforeIt() async throws {
        try await fixture.migrate("a", entriesTable)
        for number in 0..<200 {
            try await fixture.commit(
                "a", "INSERT INTO {entries} (id, tenant, n) VALUES (?1, :tenant, ?2)", SQLValue("e\(number)"),
                SQLValue(Int64(number)))
            let last = try await fixture.query("a", "SELECT MAX(n) FROM {entries} WHERE tenant = :tenant")
            #expect(last.first?.first?.integer == Int64(number))
        }
    }

    @Test func theEndWaitsForWhatStreamsStillRead() async throws {
        let engine = fixture.engine
        let reading = try await engine.streams.take(waiting: 0)
        let isGiven = Atomic(false)
        let giving = Task {
            await engine.writer.waitForEnd()
            await engine.readers.waitForEnd()
            await engine.shortReads.waitForEnd()
            for _ in 0..<1000 { await Task.yield() }
            isGiven.store(true, ordering: .relaxed)
            engine.streams.give(back: reading)
        }
        await engine.closeAndWait()
        let wasGiven = isGiven.load(ordering: .relaxed)
        #expect(wasGiven)
        await giving.value
    }

    @Test func afterTheEndNoneIsLent() async throws {
        await fixture.engine.closeAndWait()
        #expect(try connections.run { _ in true } == nil)
        #expect(await failure { try await fixture.query("a", "SELECT 1 AS one") }?.reason == "sql.closed")
    }
}
