// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import SQLite

/// Streams, snapshots, prepared statements, limits.
struct ReadingTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private func fill() async throws {
        try await fixture.migrate(
            "a", "CREATE TABLE {t} (tenant TEXT NOT NULL, n BIGINT NOT NULL, body TEXT NOT NULL);")
        try await fixture.commit(
            "a",
            """
            INSERT INTO {t} WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5000)
            SELECT :tenant, i, ?1 FROM c
            """, SQLValue(String(repeating: "x", count: 100)))
    }

    private func stream(_ change: (inout SQLQueryRequest) -> Void = { _ in }) async throws -> [SQLRows] {
        var request = SQLQueryRequest.with { $0.statement = statement("SELECT n, body FROM {t} ORDER BY n") }
        change(&request)
        let pieces = Mutex<[SQLRows]>([])
        try await fixture.engine.queryStream(request, for: fixture.scope("a")) { rows in
            pieces.withLock { $0.append(rows) }
        }
        return pieces.withLock { $0 }
    }

    @Test func aStreamGivesEveryRowInPieces() async throws {
        try await fill()
        let pieces = try await stream()
        #expect(pieces.count > 3 && pieces[0].columns == ["n", "body"])
        #expect(pieces.flatMap(\.rows).map { $0.values[0].integer } == Array(1...5000))
        let none = try await stream { $0.statement = statement("SELECT n FROM {t} WHERE n < 0") }
        #expect(none.count == 1 && none[0].columns == ["n"])
        #expect(await failure { try await stream { $0.maxRows = 4999 } }?.reason == "sql.too_many_rows")
        #expect(fixture.engine.streams.isIdle)
    }

    @Test func aStreamSeesOneSnapshotAndHoldsNobodyUp() async throws {
        try await fill()
        let fixture = fixture
        let wrote = Atomic<Bool>(false)
        let seen = Atomic<Int>(0)
        let request = SQLQueryRequest.with { $0.statement = statement("SELECT n, body FROM {t}") }
        try await fixture.engine.queryStream(request, for: fixture.scope("a")) { rows in
            seen.add(rows.rows.count, ordering: .relaxed)
            if !wrote.exchange(true, ordering: .relaxed) { try await fixture.commit("a", "DELETE FROM {t}") }
        }
        #expect(seen.load(ordering: .relaxed) == 5000)
        #expect(try await fixture.query("a", "SELECT COUNT(*) FROM {t}")[0][0].integer == 0)
    }

    @Test func aReaderThatStandsStillLosesItsStream() async throws {
        var options = EngineOptions()
        options.streamStallMilliseconds = 30
        let fixture = try EngineFixture(options: options)
        let request = SQLQueryRequest.with { $0.statement = statement("SELECT 1") }
        let error = await failure {
            try await fixture.engine.queryStream(request, for: fixture.scope("a")) { _ in
                try await Task.sleep(for: .seconds(60))
            }
        }
        #expect(error?.reason == "sql.statement_timeout" && error?.code == .deadlineExceeded)
        #expect(fixture.engine.streams.isIdle)
    }

    /// Its time may end while a piece waits for a reader's thread: the caller still waits, and hears why.
    @Test func aStreamWhoseTimeEndsInTheQueueSaysSo() async throws {
        let fixture = try EngineFixture()
        let request = SQLQueryRequest.with {
            $0.statement = statement(
                "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 50000) SELECT n, 'xxxxxxxx' FROM c"
            )
            $0.timeoutMs = 40
        }
        let readers = fixture.engine.readers
        let error = await failure {
            try await fixture.engine.queryStream(request, for: fixture.scope("a")) { _ in
                // Whoever reads is kept until the statement's time has certainly passed.
                let over = monotonicNanoseconds() + 50_000_000
                for _ in 0..<8 { readers.enqueue { _ in while monotonicNanoseconds() < over { sched_yield() } } }
            }
        }
        #expect(error?.reason == "sql.statement_timeout" && error?.code == .deadlineExceeded)
    }

    @Test func moreStreamsThanConnectionsWaitAndThenAreRefused() async throws {
        var options = EngineOptions()
        options.streamWaitMilliseconds = 20
        let fixture = try EngineFixture(options: options)
        let request = SQLQueryRequest.with { $0.statement = statement("SELECT 1") }
        var held: [StreamReading] = []
        for _ in 0..<StreamReadings.count { held.append(try await fixture.engine.streams.take(waiting: 0)) }
        let error = await failure { try await fixture.engine.queryStream(request, for: fixture.scope("a")) { _ in } }
        #expect(error?.reason == "sql.too_many_streams")
        async let waited = fixture.engine.streams.take(waiting: 30_000)
        for reading in held { fixture.engine.streams.give(back: reading) }
        fixture.engine.streams.give(back: try await waited)
        #expect(fixture.engine.streams.isIdle)
    }

    @Test func manySnapshotsAtOnceAllCome() async throws {
        var options = EngineOptions()
        options.streamWaitMilliseconds = 60_000
        options.transactionTimeoutMilliseconds = 60_000
        let fixture = try EngineFixture(options: options)
        try await fixture.migrate("a", "CREATE TABLE {t} (tenant TEXT NOT NULL, n BIGINT NOT NULL);")
        try await fixture.commit("a", "INSERT INTO {t} VALUES (:tenant, 1)")
        let engine = fixture.engine
        let scope = try fixture.scope("a")
        let counts = try await withThrowingTaskGroup(of: Int64.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    let transaction = try await engine.beginReading(SQLBegin(), for: scope)
                    let rows = try await transaction.run(statement("SELECT COUNT(*) FROM {t}"))
                    await transaction.end()
                    return rows.rows[0].values[0].integer
                }
            }
            return try await group.reduce(into: [Int64]()) { $0.append($1) }
        }
        #expect(counts == Array(repeating: 1, count: 40))
    }

    @Test func aStatementThatRunsTooLongIsStopped() async throws {
        let endless = "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT COUNT(*) FROM c"
        let request = SQLQueryRequest.with {
            $0.statement = statement(endless)
            $0.timeoutMs = 30
        }
        let error = await failure { try await fixture.engine.query(request, for: fixture.scope("a")) }
        #expect(error?.reason == "sql.statement_timeout" && error?.code == .deadlineExceeded)
        let commit = SQLCommitRequest.with {
            $0.statements = [statement(endless)]
            $0.timeoutMs = 30
        }
        #expect(
            await failure { try await fixture.engine.commit(commit, for: fixture.scope("a")) }?.reason
                == "sql.statement_timeout")
    }

    @Test func aTransactionThatOnlyReadsSeesOneSnapshot() async throws {
        try await fill()
        let transaction = try await fixture.engine.beginReading(SQLBegin(), for: fixture.scope("a"))
        let count = statement("SELECT COUNT(*) FROM {t}")
        #expect(try await transaction.run(count).rows[0].values[0].integer == 5000)
        try await fixture.commit("a", "DELETE FROM {t}")
        #expect(try await transaction.run(count).rows[0].values[0].integer == 5000)
        #expect(await failure { try await transaction.run(statement("DELETE FROM {t}")) }?.reason == "sql.not_a_query")
        await transaction.end()
        #expect(fixture.engine.streams.isIdle)
        #expect(try await fixture.query("a", "SELECT COUNT(*) FROM {t}")[0][0].integer == 0)
    }

    @Test func aPreparedStatementHasANumber() async throws {
        try await fill()
        let scope = try fixture.scope("a")
        let prepared = try await fixture.engine.prepare(.with { $0.sql = "SELECT n FROM {t} WHERE n = ?1" }, for: scope)
        let request = SQLQueryRequest.with {
            $0.statement.statementID = prepared.statementID
            $0.statement.parameters = [SQLValue(Int64(7))]
        }
        #expect(try await fixture.engine.query(request, for: scope).rows[0].values[0].integer == 7)
        let other = await failure { try await fixture.engine.query(request, for: fixture.scope("b")) }
        #expect(other?.reason == "sql.unknown_statement")
        let bad = await failure {
            try await fixture.engine.prepare(.with { $0.sql = "SELECT n FROM {missing}" }, for: scope)
        }
        #expect(bad?.reason == "sql.syntax")
        let specific = await failure {
            try await fixture.engine.prepare(.with { $0.sql = "SELECT strftime('%s')" }, for: scope)
        }
        #expect(specific?.reason == "sql.not_portable")
    }

    @Test func timestampsAndJSONAreValues() async throws {
        try await fixture.migrate("a", "CREATE TABLE {v} (tenant TEXT NOT NULL, at BIGINT, data TEXT);")
        try await fixture.commit(
            "a", "INSERT INTO {v} VALUES (:tenant, ?1, ?2)", .with { $0.timestamp = 5 },
            .with { $0.json = #"{"a": [1]}"# })
        let row = try await fixture.query("a", "SELECT at, data FROM {v}")[0]
        #expect(row[0].integer == 5 && row[1].text == #"{"a": [1]}"#)
        let bad = await failure {
            try await fixture.commit("a", "INSERT INTO {v} VALUES (:tenant, 1, ?1)", .with { $0.json = "{" })
        }
        #expect(bad?.reason == "sql.value")
    }

    @Test func likeTellsCaseApart() async throws {
        #expect(try await fixture.query("a", "SELECT 'ABC' LIKE 'abc', 'abc' LIKE 'a%'")[0].map(\.integer) == [0, 1])
    }
}
