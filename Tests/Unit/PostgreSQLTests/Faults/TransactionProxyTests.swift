// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

/// Behind a real pgbouncer that pools transactions: several clients share a server's connection, and nobody keeps one.
///
/// What every engine has to do is proved through it too, by the storage contract's tests.
struct TransactionProxyTests {
    /// An engine behind a proxy that has so many connections to the server.
    private func fixture(
        connections: Int, _ change: (inout EngineOptions) -> Void = { _ in }
    ) async throws -> EngineFixture {
        let server = try await PostgreSQLServer.shared()
        let proxy = try await TransactionProxy.start(before: server, connections: connections)
        return try await EngineFixture(server: server) {
            $0.server.addresses = [ServerAddress(host: "127.0.0.1", port: proxy.port)]
            $0.server.prepares = false
            change(&$0)
        }
    }

    /// One connection serves everybody in turn: role, search path, limits and prepared names of one caller's transaction
    /// are not those of the next.
    @Test func nothingOfATransactionIsLeftToTheNext() async throws {
        let fixture = try await fixture(connections: 1)
        for caller in ["shop", "bank"] {
            try await fixture.migrate(caller, entriesTable)
            try await fixture.commit(
                caller, "INSERT INTO {entries} (id, tenant, n) VALUES (?1, :tenant, 0)", SQLValue(caller))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for turn in 0..<60 {
                let caller = turn.isMultiple(of: 2) ? "shop" : "bank"
                group.addTask {
                    try await fixture.commit(caller, "UPDATE {entries} SET n = n + 1 WHERE tenant = :tenant")
                    let rows = try await fixture.query(caller, "SELECT id FROM {entries}")
                    #expect(rows.map { $0[0].text } == [caller])
                    let error = await failure { try await fixture.query(caller, "DELETE FROM {entries}") }
                    #expect(error?.reason == "sql.not_a_query")
                }
            }
            try await group.waitForAll()
        }
        for caller in ["shop", "bank"] {
            #expect(try await fixture.query(caller, "SELECT n FROM {entries}")[0][0].integer == 30)
        }
        let lease = try await fixture.engine.pool.lease()
        let left = await lease.run([
            Step(
                """
                SELECT current_user = session_user, current_setting('search_path'), current_setting('statement_timeout'),
                    current_setting('transaction_read_only'), (SELECT count(*) FROM pg_prepared_statements),
                    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
                    (SELECT count(*) FROM pg_listening_channels())
                """, isPrepared: false)
        ])
        lease.release()
        let values = try #require(left.results.first?.rows.first?.values)
        #expect(values[0].integer == 1 && values[1].text == "\"$user\", public" && values[2].text == "0")
        #expect(values[3].text == "off" && values[4...].allSatisfy { $0.integer == 0 })
    }

    /// The number of a statement outlives the connection that it was checked on.
    @Test func aNumberedStatementRunsOnWhicheverConnection() async throws {
        let fixture = try await fixture(connections: 3)
        try await fixture.migrate("shop", entriesTable)
        let scope = try fixture.scope("shop")
        let insert = try await fixture.engine.prepare(
            .with { $0.sql = "INSERT INTO {entries} (id, tenant, n) VALUES (?1, :tenant, ?2)" }, for: scope
        ).statementID
        let sum = try await fixture.engine.prepare(
            .with { $0.sql = "SELECT SUM(n) FROM {entries} WHERE tenant = :tenant" }, for: scope
        ).statementID
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let one = SQLStatement.with {
                        $0.statementID = insert
                        $0.parameters = [SQLValue("\(number)"), SQLValue(Int64(number))]
                    }
                    _ = try await fixture.engine.commit(.with { $0.statements = [one] }, for: scope)
                }
            }
            try await group.waitForAll()
        }
        let rows = try await fixture.engine.query(.with { $0.statement.statementID = sum }, for: scope)
        #expect(rows.rows[0].values[0].integer == 780)
    }

    /// More transactions are open than the proxy has connections: the others wait for theirs, and all are carried out.
    @Test func openTransactionsKeepTheirConnectionToTheirEnd() async throws {
        let fixture = try await fixture(connections: 2) { $0.transactionMilliseconds = 10_000 }
        try await fixture.migrate("shop", entriesTable)
        try await fixture.commit("shop", "INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 0)")
        let scope = try fixture.scope("shop")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    while true {
                        do {
                            let transaction = try await fixture.engine.begin(for: scope)
                            defer { transaction.rollback() }
                            let found = try await transaction.run(statement("SELECT n FROM {entries}"))
                            let next = SQLValue(found.rows[0].values[0].integer + 1)
                            _ = try await transaction.run(statement("UPDATE {entries} SET n = ?1", [next]))
                            _ = try await transaction.commit(SQLAttachments())
                            return
                        } catch let error as StorageError where error.reason == "sql.serialization" {
                            continue
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await fixture.query("shop", "SELECT n FROM {entries}")[0][0].integer == 8)
    }

    /// The server's limit ends a statement, and so does this side's, which asks the proxy to cancel it.
    @Test func aStatementIsEndedInTime() async throws {
        let fixture = try await fixture(connections: 2)
        let scope = try fixture.scope("shop")
        let slow = "SELECT count(*) FROM generate_series(1, 3000000000) AS g"
        let error = await failure {
            try await fixture.engine.query(
                .with {
                    $0.statement = statement(slow.engineSpecific)
                    $0.timeoutMs = 100
                }, for: scope)
        }
        #expect(error?.reason == "sql.statement_timeout")
        let outcome = try await fixture.engine.pool.run([Step(slow, isPrepared: false)], milliseconds: 100)
        #expect(outcome.ending == .deadline && outcome.failure?.error.state == "57014")
        #expect(try await fixture.query("shop", "SELECT 1").count == 1)
    }

    /// Two hosts come at once; the lock of one's migration is the transaction's, so it does not stay on the connection.
    @Test func migrationsOfTwoHostsTakeTurns() async throws {
        let fixture = try await fixture(connections: 3)
        let port = fixture.engine.options.server.addresses[0].port
        let other = try await EngineFixture.open(fixture.server, fixture.database) {
            $0.server.addresses = [ServerAddress(host: "127.0.0.1", port: port)]
            $0.server.prepares = false
        }
        defer { other.close() }
        let list = SQLMigrateRequest.with { $0.migrations = [migration("001", entriesTable)] }
        let scope = try fixture.scope("shop")
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for engine in [fixture.engine, other, fixture.engine, other] {
                group.addTask { try await engine.migrate(list, for: scope).applied }
            }
            return try await group.reduce([], +)
        }
        #expect(applied == ["001"])
        #expect(try await fixture.server.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0")
    }

    /// Nobody listens there: a notice would come to whoever has the connection by then. A look tells of commits.
    @Test func anothersEventIsSeenWithoutListening() async throws {
        let fixture = try await fixture(connections: 2)
        let direct = try await EngineFixture.open(fixture.server, fixture.database)
        defer { direct.close() }
        async let waiting = fixture.engine.read(
            .with {
                $0.limit = 10
                $0.waitMs = 20_000
            }, for: fixture.scope("host"))
        _ = try await direct.append(.with { $0.events = [event("x.y", "1")] }, for: fixture.scope("a"))
        #expect(try await waiting.events.count == 1)
    }
}
