// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

struct PoolTests {
    @Test func noMoreConnectionsThanAllowedServeEverybody() async throws {
        let fixture = try await EngineFixture { $0.pool.size = 3 }
        let scope = try fixture.scope("shop")
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let rows = try await fixture.engine.query(
                        .with { $0.statement = statement("SELECT ?1", [SQLValue(Int64(number))]) }, for: scope)
                    return rows.rows[0].values[0].integer == Int64(number) ? 1 : 0
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(count == 200)
        #expect(fixture.engine.pool.figures.open <= 3 && fixture.engine.pool.figures.opened <= 3)
    }

    @Test func whoWaitsTooLongIsToldSo() async throws {
        let fixture = try await EngineFixture {
            $0.pool.size = 1
            $0.pool.waitMilliseconds = 100
        }
        let scope = try fixture.scope("shop")
        let transaction = try await fixture.engine.begin(for: scope)
        _ = try await transaction.run(statement("SELECT 1"))
        let error = await failure { try await fixture.query("shop", "SELECT 1") }
        #expect(error?.reason == "sql.pool_busy" && error?.retry == .safe && error?.code == .resourceExhausted)
        transaction.rollback()
        #expect(try await fixture.query("shop", "SELECT 1").count == 1)
    }

    @Test func aConnectionPastItsTimeIsReplaced() async throws {
        let fixture = try await EngineFixture {
            $0.pool.size = 1
            $0.pool.lifetimeMilliseconds = 1
        }
        for _ in 0..<5 { _ = try await fixture.query("shop", "SELECT 1") }
        #expect(fixture.engine.pool.figures.opened > 3 && fixture.engine.pool.figures.open <= 1)
    }

    /// As behind a proxy that gives each transaction another server: nothing prepared stays, nothing is listened to.
    @Test func withoutPreparedStatementsNothingStaysOnAServer() async throws {
        let fixture = try await EngineFixture { $0.server.prepares = false }
        try await fixture.migrate("shop", entriesTable)
        for number in 0..<10 {
            try await fixture.commit(
                "shop", "INSERT INTO {entries} (id, tenant, n) VALUES (?1, :tenant, ?2)", SQLValue(String(number)),
                SQLValue(Int64(number)))
        }
        #expect(try await fixture.query("shop", "SELECT SUM(n) FROM {entries}")[0][0].integer == 45)
        let lease = try await fixture.engine.pool.lease()
        let left = await lease.run([Step("SELECT COUNT(*) FROM pg_prepared_statements", isPrepared: false)])
        lease.release()
        #expect(left.results[0].rows[0].values[0].integer == 0)
        async let waiting = fixture.engine.read(
            .with {
                $0.limit = 10
                $0.waitMs = 20_000
            }, for: fixture.scope("host"))
        _ = try await fixture.engine.append(.with { $0.events = [event("x.y", "1")] }, for: fixture.scope("a"))
        #expect(try await waiting.events.count == 1)
    }

    @Test func whoIsPreparedKeepsItsNumberAndAnotherGenerationForgetsIt() async throws {
        let fixture = try await EngineFixture()
        try await fixture.migrate("shop", entriesTable)
        let scope = try fixture.scope("shop")
        let number = try await fixture.engine.prepare(
            .with { $0.sql = "SELECT n FROM {entries} WHERE id = ?1 AND tenant = :tenant" }, for: scope
        ).statementID
        let asked = SQLQueryRequest.with {
            $0.statement.statementID = number
            $0.statement.parameters = [SQLValue("a")]
        }
        #expect(try await fixture.engine.query(asked, for: scope).columns == ["n"])
        let stranger = try fixture.scope("bank")
        #expect(
            await failure { try await fixture.engine.query(asked, for: stranger) }?.reason == "sql.unknown_statement")
        let wrong = await failure {
            try await fixture.engine.prepare(.with { $0.sql = "SELECT nothing FROM {entries}" }, for: scope)
        }
        #expect(wrong?.reason == "sql.syntax")
    }
}
