// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import SQLite

struct TransactionTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private func counter() async throws {
        try await fixture.migrate("a", "CREATE TABLE {counter} (tenant TEXT NOT NULL, n INTEGER NOT NULL);")
        try await fixture.commit("a", "INSERT INTO {counter} VALUES (:tenant, 0)")
    }

    private func count() async throws -> Int64 {
        try await fixture.query("a", "SELECT n FROM {counter}").first?.first?.integer ?? -1
    }

    @Test func whatIsReadInATransactionIsWrittenInIt() async throws {
        try await counter()
        let transaction = try await fixture.engine.begin(for: fixture.scope("a"))
        let before = try await transaction.run(statement("SELECT n FROM {counter} WHERE tenant = :tenant"))
        let n = before.rows[0].values[0].integer
        let updated = try await transaction.run(statement("UPDATE {counter} SET n = ?1", [SQLValue(n + 5)], expect: 1))
        #expect(updated.changed == 1)
        #expect(try await count() == 0, "a reader sees the snapshot before the commit")
        let event = EventsNewEvent.with {
            $0.type = "counter.moved"
            $0.data = "{}"
        }
        let committed = try await transaction.commit(.with { $0.events = [event] })
        #expect(committed.lastOffset == 1)
        #expect(try await count() == 5)
    }

    @Test func aRolledBackTransactionLeavesNothing() async throws {
        try await counter()
        let transaction = try await fixture.engine.begin(for: fixture.scope("a"))
        _ = try await transaction.run(statement("UPDATE {counter} SET n = 9"))
        transaction.rollback()
        try await fixture.commit("a", "UPDATE {counter} SET n = n + 1")
        #expect(try await count() == 1)
        let late = await failure { try await transaction.run(statement("SELECT 1")) }
        #expect(late?.reason == "sql.transaction_ended")
    }

    @Test func aFailedStepEndsTheTransaction() async throws {
        try await counter()
        let transaction = try await fixture.engine.begin(for: fixture.scope("a"))
        _ = try await transaction.run(statement("UPDATE {counter} SET n = 9"))
        let error = await failure { try await transaction.run(statement("UPDATE {counter} SET n = NULL")) }
        #expect(error?.reason == "sql.check")
        let late = await failure { try await transaction.commit(SQLAttachments()) }
        #expect(late?.reason == "sql.check")
        #expect(try await count() == 0)
    }

    @Test func aBadEventKeepsTheWholeTransactionBack() async throws {
        try await counter()
        for (type, data) in [
            ("counter.moved", "[]"), ("counter.moved", "{"), ("Counter", "{}"), ("counter", "{}"), ("a..b", "{}"),
        ] {
            let transaction = try await fixture.engine.begin(for: fixture.scope("a"))
            _ = try await transaction.run(statement("UPDATE {counter} SET n = 9"))
            let event = EventsNewEvent.with {
                $0.type = type
                $0.data = data
            }
            let error = await failure { try await transaction.commit(.with { $0.events = [event] }) }
            #expect(error?.reason == "sql.event")
        }
        #expect(try await count() == 0)
    }

    @Test func anIdleTransactionEndsAtItsLimit() async throws {
        let fixture = try EngineFixture(options: EngineOptions(transactionTimeoutMilliseconds: 300))
        try await fixture.migrate("a", entriesTable)
        let transaction = try await fixture.engine.begin(for: fixture.scope("a"))
        _ = try await transaction.run(statement("INSERT INTO {entries} VALUES ('x', '', 1)"))
        // The next write waits for the writer, which the limit frees.
        try await fixture.commit("a", "INSERT INTO {entries} VALUES ('y', '', 1)")
        let error = await failure { try await transaction.commit(SQLAttachments()) }
        #expect(error?.reason == "sql.transaction_timeout")
        #expect(try await fixture.query("a", "SELECT id FROM {entries}") == [[SQLValue("y")]])
    }

    @Test func aLongStatementEndsAtTheLimit() async throws {
        let fixture = try EngineFixture(options: EngineOptions(transactionTimeoutMilliseconds: 30))
        let transaction = try await fixture.engine.begin(for: fixture.scope("a"))
        let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
        let error = await failure { try await transaction.run(statement(endless)) }
        #expect(error?.reason == "sql.transaction_timeout")
    }

    @Test(arguments: ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "PRAGMA foreign_keys = OFF", "END", "RELEASE a"])
    func aTransactionIsNotEndedByAStatement(sql: String) async throws {
        try await counter()
        let transaction = try await fixture.engine.begin(for: fixture.scope("a"))
        let error = await failure { try await transaction.run(statement(sql)) }
        #expect(error?.reason == "sql.refused_statement")
    }

    @Test func writersTakeTurnsAndLoseNothing() async throws {
        try await counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for _ in 0..<200 {
                        if writer.isMultiple(of: 2) {
                            try await fixture.commit("a", "UPDATE {counter} SET n = n + 1")
                        } else {
                            let transaction = try await fixture.engine.begin(for: fixture.scope("a"))
                            let n = try await transaction.run(statement("SELECT n FROM {counter}")).rows[0].values[0]
                                .integer
                            _ = try await transaction.run(statement("UPDATE {counter} SET n = ?1", [SQLValue(n + 1)]))
                            _ = try await transaction.commit(SQLAttachments())
                        }
                    }
                }
            }
            group.addTask {
                var last: Int64 = 0
                for _ in 0..<300 {
                    let n = try await count()
                    #expect(n >= last)
                    last = n
                }
            }
            try await group.waitForAll()
        }
        #expect(try await count() == 1600)
    }

    @Test func whatWasAcknowledgedIsInTheFiles() async throws {
        try await counter()
        for round in 1...20 {
            try await fixture.commit("a", "UPDATE {counter} SET n = n + 1")
            let open = try await fixture.engine.begin(for: fixture.scope("a"))
            _ = try await open.run(statement("UPDATE {counter} SET n = 1000"))
            // The files as a kill would leave them: the log with the commit, and a transaction in the middle.
            let copy = "\(fixture.folder)/copy-\(round).db"
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: fixture.engine.path + suffix, toPath: copy + suffix)
            }
            open.rollback()
            let second = try EngineFixture.open(copy)
            defer { second.close() }
            let rows = try await second.query(
                .with { $0.statement = statement("SELECT n FROM {counter}") }, for: fixture.scope("a"))
            #expect(rows.rows[0].values[0].integer == Int64(round))
            try await second.selfTest()
        }
    }

    @Test func aClosedEngineSaysSo() async throws {
        let engine = try EngineFixture.open("\(fixture.folder)/closed.db")
        engine.close()
        let error = await failure {
            try await engine.query(.with { $0.statement = statement("SELECT 1") }, for: fixture.scope("a"))
        }
        #expect(error?.reason == "sql.closed")
        let begun = await failure { try await engine.begin(for: fixture.scope("a")) }
        #expect(begun?.reason == "sql.closed")
    }
}
