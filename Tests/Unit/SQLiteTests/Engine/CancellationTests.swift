// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import SQLite

/// A statement that nobody waits for any more ends in its middle, whatever it is at, and leaves nothing.
@Suite(.timeLimit(.minutes(2))) struct CancellationTests {
    private let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private static let endless =
        "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT COUNT(*) FROM c"
    private static let endlessInsert =
        "INSERT INTO {t} WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT :tenant, i, 'x' FROM c"
    private static let sort =
        "SELECT max(place) FROM (SELECT row_number() OVER (ORDER BY body) AS place FROM {t} WHERE tenant = :tenant)"

    /// 200,000 rows whose order by `body` is another than that of `n`.
    private func fill() async throws {
        try await fixture.migrate(
            "a", "CREATE TABLE {t} (tenant TEXT NOT NULL, n BIGINT NOT NULL, body TEXT NOT NULL);")
        try await fixture.commit(
            "a",
            """
            /* engine: sqlite */
            INSERT INTO {t} WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200000)
            SELECT :tenant, i, hex(randomblob(12)) FROM c
            """)
    }

    private func query(_ sql: String) -> SQLQueryRequest { .with { $0.statement = statement(sql) } }

    private func commit(_ sql: String) -> SQLCommitRequest { .with { $0.statements = [statement(sql)] } }

    /// Calls as `a`, whose interest is asked for.
    private func scope(_ isWanted: @escaping @Sendable () -> Bool) throws -> CallerScope {
        var context = HostContext()
        context.caller = "a"
        context.tenant = "t1"
        return try CallerScope(context, isWanted: isWanted)
    }

    /// What comes of `body` whose task is cancelled once its interest was asked for three times: in its middle.
    private func cancelled(_ body: @escaping @Sendable (CallerScope) async throws -> Void) async throws -> StorageError?
    {
        let (running, begun) = AsyncStream.makeStream(of: Void.self)
        let asked = Atomic<Int>(0)
        let scope = try scope {
            if asked.add(1, ordering: .relaxed).newValue == 3 { begun.finish() }
            return true
        }
        return await failure {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await body(scope) }
                for await _ in running {}
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: [endless, sort]) func aRead(_ sql: String) async throws {
        try await fill()
        let (engine, request) = (fixture.engine, query(sql))
        let error = try await cancelled { _ = try await engine.query(request, for: $0) }
        #expect(error?.reason == "sql.cancelled")
        #expect(try await fixture.query("a", "SELECT count(*) FROM {t}")[0][0].integer == 200_000)
    }

    @Test func aStream() async throws {
        let (engine, request) = (fixture.engine, query(Self.endless))
        let error = try await cancelled { try await engine.queryStream(request, for: $0) { _ in } }
        #expect(error?.reason == "sql.cancelled")
        #expect(engine.streams.isIdle)
    }

    @Test(arguments: [endlessInsert, "DELETE FROM {t} WHERE n IN (\(sort))"]) func aWrite(_ sql: String) async throws {
        try await fill()
        let (engine, request) = (fixture.engine, commit(sql))
        let error = try await cancelled { _ = try await engine.commit(request, for: $0) }
        #expect(error?.reason == "sql.cancelled")
        #expect(try await fixture.query("a", "SELECT count(*) FROM {t}")[0][0].integer == 200_000)
        try await fixture.commit("a", "INSERT INTO {t} VALUES (:tenant, 0, 'after')")
    }

    @Test func aTransaction() async throws {
        try await fill()
        let engine = fixture.engine
        let error = try await cancelled { scope in
            let transaction = try await engine.begin(for: scope)
            defer { transaction.rollback() }
            _ = try await transaction.run(statement(Self.endlessInsert))
        }
        #expect(error?.reason == "sql.cancelled")
        #expect(try await fixture.query("a", "SELECT count(*) FROM {t}")[0][0].integer == 200_000)
    }

    @Test func aTransactionThatOnlyReads() async throws {
        let engine = fixture.engine
        let error = try await cancelled { scope in
            let transaction = try await engine.beginReading(SQLBegin(), for: scope)
            do { _ = try await transaction.run(statement(Self.endless)) } catch {
                await transaction.end()
                throw error
            }
        }
        #expect(error?.reason == "sql.cancelled")
        #expect(engine.streams.isIdle)
    }

    private static let table = migration(
        "001", "CREATE TABLE {t} (tenant TEXT NOT NULL, n BIGINT NOT NULL, body TEXT NOT NULL);")
    private static let index = migration("002", "CREATE INDEX {by_body} ON {t} (tenant, body);")

    @Test func aMigration() async throws {
        try await fill()
        let engine = fixture.engine
        let request = SQLMigrateRequest.with { $0.migrations = [Self.table, Self.index] }
        let error = try await cancelled { _ = try await engine.migrate(request, for: $0) }
        #expect(error?.reason == "sql.cancelled")
        #expect(try await engine.migrate(request, for: fixture.scope("a")).applied == ["002"])
    }

    /// A sort in memory would be one step that nobody is asked in, of half the time of it all.
    @Test func whoSortsIsAskedAllTheWhile() async throws {
        try await fill()
        let engine = fixture.engine
        let request = SQLMigrateRequest.with { $0.migrations = [Self.table, Self.index] }
        for isMigration in [true, false] {
            let asked = Mutex<[UInt64]>([])
            let scope = try scope {
                let now = processorTime()
                asked.withLock { $0.append(now) }
                return true
            }
            if isMigration {
                _ = try await engine.migrate(request, for: scope)
            } else {
                _ = try await engine.query(query("/* sorted */ " + Self.sort), for: scope)
            }
            let times = asked.withLock { $0 }
            let longest = zip(times, times.dropFirst()).map { $1 > $0 ? $1 - $0 : 0 }.max() ?? .max
            let whole = try #require(times.last) - times[0]
            #expect(longest < whole / 4, "\(longest) ns of \(whole), migration: \(isMigration)")
        }
    }

    @Test func whoWaitsForALock() async throws {
        var options = EngineOptions()
        options.busyMilliseconds = 3_600_000
        let fixture = try EngineFixture(options: options)
        try await fixture.migrate("a", Self.table.sql)
        let other = try Connection(path: "\(fixture.folder)/theatre.db", role: .writer)
        try other.execute("BEGIN IMMEDIATE")
        let engine = fixture.engine
        let insert = statement("INSERT INTO {t} VALUES (:tenant, 1, 'x')")
        let write = try await cancelled { _ = try await engine.commit(.with { $0.statements = [insert] }, for: $0) }
        #expect(write?.reason == "sql.cancelled")
        let begin = try await cancelled { _ = try await engine.begin(for: $0) }
        #expect(begin?.reason == "sql.cancelled")
        let schema = try await cancelled { scope in
            _ = try await engine.migrate(.with { $0.migrations = [Self.table, Self.index] }, for: scope)
        }
        #expect(schema?.reason == "sql.cancelled")
        other.close()
        try await fixture.commit("a", insert.sql)
        #expect(try await fixture.query("a", "SELECT count(*) FROM {t}")[0][0].integer == 1)
    }
}

/// Of the calling thread, in nanoseconds: neighbours do not count.
private func processorTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
