// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

struct CommitTests {
    let fixture: EngineFixture

    init() async throws {
        fixture = try await EngineFixture()
        try await fixture.migrate("shop", entriesTable)
    }

    private func commit(_ statements: SQLStatement..., attachments: SQLAttachments = .init()) async throws
        -> SQLCommitResponse
    {
        try await fixture.engine.commit(
            .with {
                $0.statements = statements
                $0.attachments = attachments
            }, for: fixture.scope("shop"))
    }

    private func names() async throws -> [String] {
        try await fixture.query("shop", "SELECT id FROM {entries} ORDER BY id").map { $0[0].text }
    }

    @Test func everythingIsStoredOrNothing() async throws {
        let insert = "INSERT INTO {entries} (id, tenant, n) VALUES (?1, :tenant, 1)"
        let error = await failure {
            try await commit(statement(insert, [SQLValue("a")]), statement(insert, [SQLValue("a")]))
        }
        #expect(error?.reason == "sql.unique" && error?.detail == "/statements/1")
        #expect(try await names().isEmpty)
        let response = try await commit(statement(insert, [SQLValue("a")]), statement(insert, [SQLValue("b")]))
        #expect(response.results.map(\.changed) == [1, 1])
        #expect(try await names() == ["a", "b"])
    }

    @Test(arguments: ["", " RETURNING n"])
    func anotherNumberOfRowsThanExpectedKeepsNothing(returning: String) async throws {
        let insert = statement(
            "INSERT INTO {entries} (id, tenant, n) VALUES (?1, :tenant, 1)", [SQLValue("a")], expect: 1)
        let update = "UPDATE {entries} SET n = n + 1 -- the last word\(returning.isEmpty ? "" : "\n")\(returning)"
        let error = await failure { try await commit(insert, statement(update, expect: 2)) }
        #expect(error?.code == .aborted && error?.reason == "sql.expectation" && error?.detail == "/statements/1")
        #expect(try await names().isEmpty)
        let response = try await commit(insert, statement(update, expect: 1))
        #expect(response.results.map(\.changed) == [1, 1])
        #expect(response.results[1].rows.map { $0.values[0].integer } == (returning.isEmpty ? [] : [2]))
    }

    @Test func selectsAndReturningAnswerWithinACommit() async throws {
        let response = try await commit(
            statement("INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 5) RETURNING n"),
            statement("SELECT n + ?1 AS more FROM {entries}", [SQLValue(Int64(2))]))
        #expect(response.results[0].rows[0].values[0].integer == 5 && response.results[0].changed == 1)
        #expect(response.results[1].columns == ["more"] && response.results[1].rows[0].values[0].integer == 7)
        #expect(response.results[1].changed == 0)
    }

    @Test func anEventComesWithItsChange() async throws {
        let attachments = SQLAttachments.with { $0.events = [event("x.a", "1"), event("x.b", "1")] }
        let response = try await commit(
            statement("INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 5)"), attachments: attachments)
        let read = try await fixture.engine.read(
            .with {
                $0.limit = 10
                $0.waitMs = 10_000
            }, for: fixture.scope("host"))
        #expect(read.events.map(\.type) == ["x.a", "x.b"] && read.events.last?.offset == response.lastOffset)
        #expect(read.events.first?.source == "shop" && read.events.first?.tenant == "t1")
    }

    @Test func serverErrorsHaveTheirReasons() async throws {
        try await fixture.migrate(
            "zoo",
            """
            CREATE TABLE {parts} (id TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, whole TEXT REFERENCES {parts} (id),
                n BIGINT CHECK (n < 10));
            """)
        for (values, reason) in [
            ("('a', :tenant, 'none', 1)", "sql.foreign_key"), ("('a', :tenant, NULL, 11)", "sql.check"),
            ("(NULL, :tenant, NULL, 1)", "sql.check"), ("('a', :tenant, NULL, 1, 2)", "sql.syntax"),
        ] {
            let error = await failure {
                try await fixture.commit("zoo", "INSERT INTO {parts} (id, tenant, whole, n) VALUES \(values)")
            }
            #expect(error?.reason == reason)
        }
        let missing = await failure { try await fixture.query("zoo", "SELECT 1 FROM {nothing}") }
        #expect(missing?.reason == "sql.syntax")
        let parameters = await failure { try await fixture.query("zoo", "SELECT n FROM {parts} WHERE n = ?1") }
        #expect(parameters?.reason == "sql.parameters")
        let rows = await failure {
            try await fixture.engine.query(
                .with {
                    $0.statement = statement("SELECT g FROM generate_series(1, 100000) AS g".engineSpecific)
                    $0.maxRows = 10
                }, for: fixture.scope("zoo"))
        }
        #expect(rows?.reason == "sql.too_many_rows")
    }

    @Test func writersOfTheSameRowAreRepeatedByTheEngine() async throws {
        _ = try await commit(statement("INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 0)"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10 {
                        _ = try await fixture.engine.commit(
                            .with {
                                $0.statements = [statement("UPDATE {entries} SET n = n + 1 WHERE id = 'a'", expect: 1)]
                                $0.timeoutMs = 60_000
                            }, for: fixture.scope("shop"))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await fixture.query("shop", "SELECT n FROM {entries}")[0][0].integer == 80)
    }

    @Test func writeSkewIsForbidden() async throws {
        _ = try await commit(
            statement("INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 1), ('b', :tenant, 1)"))
        let first = try await fixture.engine.begin(for: fixture.scope("shop"))
        let second = try await fixture.engine.begin(for: fixture.scope("shop"))
        let sum = statement("SELECT SUM(n) FROM {entries} WHERE tenant = :tenant")
        #expect(try await first.run(sum).rows[0].values[0].integer == 2)
        #expect(try await second.run(sum).rows[0].values[0].integer == 2)
        _ = try await first.run(statement("UPDATE {entries} SET n = 0 WHERE id = 'a'"))
        _ = try await second.run(statement("UPDATE {entries} SET n = 0 WHERE id = 'b'"))
        _ = try await first.commit(.init())
        let error = await failure { try await second.commit(.init()) }
        #expect(
            error?.reason == "sql.serialization" && error?.retry == .safe && error?.effect == StorageError.Effect.none)
    }

    @Test func aTransactionThatNobodyGoesOnWithEndsAtItsLimit() async throws {
        let transaction = try await fixture.engine.begin(.with { $0.timeoutMs = 100 }, for: fixture.scope("shop"))
        _ = try await transaction.run(statement("INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 1)"))
        // The row is locked until the limit; this one waits for it.
        _ = try await commit(statement("INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 2)"))
        let error = await failure { try await transaction.run(statement("SELECT 1")) }
        #expect(error?.reason == "sql.transaction_timeout")
        #expect(try await fixture.query("shop", "SELECT n FROM {entries}")[0][0].integer == 2)
    }

    @Test func valuesComeBackAsTheyWereSent() async throws {
        try await fixture.migrate(
            "zoo", "CREATE TABLE {t} (tenant TEXT, i BIGINT, r REAL, t TEXT, b BLOB, f BOOLEAN); -- global: {none}")
        let values: [SQLValue] = [
            SQLValue(Int64.min), SQLValue(real: -1.5e300), SQLValue("汴京\u{1F3AD}"), SQLValue(Data([0, 255, 1])),
            SQLValue(Int64(1)),
        ]
        try await fixture.commit(
            "zoo", "INSERT INTO {t} (tenant, i, r, t, b, f) VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)", values[0], values[1],
            values[2], values[3], values[4])
        try await fixture.commit(
            "zoo", "INSERT INTO {t} (tenant, i, r, t, b, f) VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)", SQLValue(),
            SQLValue(),
            SQLValue(""), SQLValue(Data()), SQLValue(Int64(0)))
        let rows = try await fixture.query("zoo", "SELECT i, r, t, b, f FROM {t} ORDER BY f DESC")
        #expect(rows[0] == values)
        #expect(rows[1] == [SQLValue(), SQLValue(), SQLValue(""), SQLValue(Data()), SQLValue(Int64(0))])
        let sums = try await fixture.query(
            "zoo", "SELECT SUM(i), AVG(f), COUNT(*), MAX(t), SUM(r), AVG(r), 1 = 1, SUM(f) FROM {t}")
        #expect(
            sums[0] == [
                SQLValue(Int64.min), SQLValue(real: 0.5), SQLValue(Int64(2)), SQLValue("汴京\u{1F3AD}"),
                SQLValue(real: -1.5e300),
                SQLValue(real: -1.5e300), SQLValue(Int64(1)), SQLValue(Int64(1)),
            ])
    }

    @Test func aCommitThatTakesTooLongIsCancelledOnTheServer() async throws {
        let text =
            "/* engine: postgresql */ SELECT n, CAST(pg_column_size(n) AS TEXT) FROM {entries}, generate_series(1, 100000000)"
        _ = try await commit(statement("INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 1)"))
        let error = await failure {
            try await fixture.engine.commit(
                .with {
                    $0.statements = [
                        statement(
                            "INSERT INTO {entries} (id, tenant, n) SELECT CAST(g AS TEXT), 'x', 1 FROM generate_series(1, 100000000) AS g"
                                .engineSpecific)
                    ]
                    $0.timeoutMs = 200
                }, for: fixture.scope("shop"))
        }
        #expect(error?.reason == "sql.transaction_timeout")
        let read = await failure {
            try await fixture.engine.query(
                .with {
                    $0.statement = statement(text)
                    $0.timeoutMs = 200
                }, for: fixture.scope("shop"))
        }
        #expect(read?.reason == "sql.statement_timeout" || read?.reason == "sql.too_many_rows")
        let left = try await fixture.server.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(fixture.database)' AND state = 'active'")
        #expect(left == "0")
    }

    @Test func aCancelledTaskCancelsItsStatement() async throws {
        let slow = "SELECT COUNT(*) FROM generate_series(1, 3000000000) AS g".engineSpecific
        let scope = try fixture.scope("shop")
        let outcome = await withTaskGroup(of: StorageError?.self) { group in
            group.addTask {
                await failure { try await fixture.engine.query(.with { $0.statement = statement(slow) }, for: scope) }
            }
            // Ended once the server is at it.
            for _ in 0..<500 {
                let active = try? await fixture.server.sql(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(fixture.database)' AND query LIKE '%3000000000%' AND state = 'active'"
                )
                if active == "1" { break }
            }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(outcome?.reason == "sql.cancelled")
        #expect(try await fixture.query("shop", "SELECT 1").count == 1)
    }

    /// Else it would go on for nobody: a server does not notice that its client has gone before it sends rows.
    @Test(.timeLimit(.minutes(2))) func theEndCancelsWhatRuns() async throws {
        let slow = "SELECT COUNT(*) FROM generate_series(1, 4000000000) AS g".engineSpecific
        let scope = try fixture.scope("shop")
        let engine = try await EngineFixture.open(fixture.server, fixture.database)
        func active() async throws -> String {
            try await fixture.server.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(fixture.database)' AND query LIKE '%4000000000%' AND state = 'active'"
            )
        }
        let running = Task {
            await failure { try await engine.query(.with { $0.statement = statement(slow) }, for: scope) }
        }
        while try await active() != "1" { await Task.yield() }
        await engine.closeAndWait()
        #expect(await running.value != nil, "whoever waits is told")
        while try await active() != "0" { await Task.yield() }
    }

    /// A call may come to its next statement just when all has ended.
    @Test(.timeLimit(.minutes(1))) func whatComesAfterTheEndIsRefused() async throws {
        let scope = try fixture.scope("shop")
        let engine = try await EngineFixture.open(fixture.server, fixture.database)
        await engine.closeAndWait()
        let select = statement("SELECT 1 AS n".engineSpecific)
        let read = await failure { try await engine.query(.with { $0.statement = select }, for: scope) }
        #expect(read?.reason == "sql.closed")
        let write = await failure { try await engine.commit(.with { $0.statements = [select] }, for: scope) }
        #expect(write?.reason == "sql.closed")
        let event = await failure { try await engine.read(.with { $0.waitMs = 1 }, for: fixture.scope("host")) }
        #expect(event != nil)
    }

    /// What a commit of unknown outcome is known by is found without reading the whole log, nor the ids of all.
    @Test func theWitnessOfACommitIsFoundByAnIndex() async throws {
        try await fixture.server.sql(
            """
            INSERT INTO theatre_host.host__events (position, event_id, type, aggregate, data, channel, at, tenant, source,
                traceparent, principal)
            SELECT n, 'evt_' || n, 'a.b', 'a' || n % 500, '{}', '', 0, '', '', '', '' FROM generate_series(1, 20000) AS n;
            ANALYZE theatre_host.host__events
            """, in: fixture.database)
        let context = HostContext.with { $0.caller = "host" }
        for (id, isThere) in [("evt_19042", true), ("evt_none", false)] {
            let append = try EventRows.append(
                [event("a.b", "a42")], context, at: 0, eventID: { _ in id }, .postgresql)
            let step = try #require(Witness(append)).step
            let explained = Step("EXPLAIN \(step.sql)", step.values, isPrepared: false)
            let outcome = try await fixture.engine.pool.run([
                NamespaceRealm.enterHost(fixture.engine.hostSchema), step, explained,
            ])
            #expect(outcome.results[1].rows.isEmpty != isThere)
            let plan = outcome.results[2].rows.map { $0.values[0].text }.joined(separator: "\n")
            #expect(plan.contains("host__events_by_aggregate"), "\(plan)")
        }
    }
}

extension String {
    /// Said to be for this engine only.
    var engineSpecific: String { "/* engine: postgresql */ \(self)" }
}
