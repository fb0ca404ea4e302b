// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import SQLite

struct CommitTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    @Test func everyValueComesBackAsItWent() async throws {
        let table = migration("1", "CREATE TABLE {v} (tenant TEXT, x);", engine: "sqlite")
        _ = try await fixture.engine.migrate(.with { $0.migrations = [table] }, for: fixture.scope("a"))
        let values: [SQLValue] = [
            SQLValue(Int64.min), SQLValue(Int64.max), SQLValue(real: 0.1), SQLValue(""), SQLValue("汴京"),
            SQLValue(Data()),
            SQLValue(Data([0, 255])), SQLValue(),
        ]
        for value in values { try await fixture.commit("a", "INSERT INTO {v} VALUES (:tenant, ?1)", value) }
        let zero = await failure {
            try await fixture.commit("a", "INSERT INTO {v} VALUES (:tenant, ?1)", SQLValue("a\0b"))
        }
        #expect(zero?.reason == "sql.value", "no engine but this one would keep it")
        let rows = try await fixture.query(
            "a", "/* engine: sqlite */ SELECT x FROM {v} WHERE tenant = :tenant ORDER BY rowid")
        #expect(rows.map { $0[0] } == values)
        #expect(try await fixture.query("a", tenant: "t2", "SELECT x FROM {v} WHERE tenant = :tenant").isEmpty)
    }

    @Test(arguments: [
        ("INSERT INTO {c} VALUES ('t', 1, 1, NULL)", "sql.unique", StorageError.Code.alreadyExists),
        ("INSERT INTO {c} VALUES ('t', 2, -1, NULL)", "sql.check", .failedPrecondition),
        ("INSERT INTO {c} VALUES (NULL, 2, 1, NULL)", "sql.check", .failedPrecondition),
        ("INSERT INTO {c} VALUES ('t', 2, 1, 99)", "sql.foreign_key", .failedPrecondition),
        ("INSERT INTO {c} VALUES (1)", "sql.syntax", .invalidArgument),
        ("INSERT INTO {nowhere} VALUES (1)", "sql.syntax", .invalidArgument),
        ("INSERT INTO {c} VALUES ('t', ?1, 1, NULL)", "sql.parameters", .invalidArgument),
        ("/* engine: sqlite */ SELECT load_extension('x')", "sql.refused_statement", .permissionDenied),
    ])
    func refusalsNameReasonAndStatement(sql: String, reason: String, code: StorageError.Code) async throws {
        try await fixture.migrate(
            "a",
            """
            CREATE TABLE {c} (tenant TEXT NOT NULL, id BIGINT NOT NULL PRIMARY KEY, n INTEGER NOT NULL CHECK (n > 0),
                parent INTEGER REFERENCES {c} (id));
            """)
        try await fixture.commit("a", "INSERT INTO {c} VALUES ('t', 1, 1, NULL)")
        let request = SQLCommitRequest.with {
            $0.statements = [statement("UPDATE {c} SET n = 5 WHERE id = 1"), statement(sql)]
        }
        let error = await failure { try await fixture.engine.commit(request, for: fixture.scope("a")) }
        #expect(error?.reason == reason, "\(error as Any)")
        #expect(error?.code == code)
        #expect(error?.detail == "/statements/1")
        #expect(try await fixture.query("a", "SELECT n FROM {c}") == [[SQLValue(1)]])
    }

    @Test func anUnmetExpectationRollsBack() async throws {
        try await fixture.migrate("a", entriesTable)
        let request = SQLCommitRequest.with {
            $0.statements = [
                statement("INSERT INTO {entries} VALUES ('x', :tenant, 1)", expect: 1),
                statement("UPDATE {entries} SET n = 2 WHERE id = 'y'", expect: 1),
            ]
        }
        let error = await failure { try await fixture.engine.commit(request, for: fixture.scope("a")) }
        #expect(error?.reason == "sql.expectation")
        #expect(error?.code == .aborted)
        #expect(error?.detail == "/statements/1")
        #expect(try await fixture.query("a", "SELECT * FROM {entries}").isEmpty)
    }

    @Test func aQueryCannotChangeAnything() async throws {
        try await fixture.migrate("a", entriesTable)
        for sql in [
            "DELETE FROM {entries}", "INSERT INTO {entries} VALUES ('x', '', 1) RETURNING id",
            "WITH c AS (SELECT 1) DELETE FROM {entries}",
        ] {
            let error = await failure { try await fixture.query("a", sql) }
            #expect(error?.reason == "sql.not_a_query")
        }
    }

    @Test func rowsAndBytesAreBounded() async throws {
        let numbers = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ?1) SELECT x FROM c"
        let request = SQLQueryRequest.with {
            $0.statement = statement(numbers, [SQLValue(11)])
            $0.maxRows = 10
        }
        let many = await failure { try await fixture.engine.query(request, for: fixture.scope("a")) }
        #expect(many?.reason == "sql.too_many_rows")
        #expect(many?.code == .outOfRange)
        #expect(try await fixture.query("a", numbers, SQLValue(10_000)).count == 10_000)
        let large = await failure { try await fixture.query("a", "/* engine: sqlite */ SELECT zeroblob(2000000)") }
        #expect(large?.reason == "sql.too_large")
    }

    @Test func anEndlessQueryEndsWithItsCall() async throws {
        let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
        let flag = Cancellation()
        var scope = try fixture.scope("a")
        scope.isWanted = {
            // Wanted when it begins, not when it is asked again.
            defer { flag.raise() }
            return !flag.isRaised
        }
        let unwanted = scope
        let error = await failure {
            try await fixture.engine.query(.with { $0.statement = statement(endless) }, for: unwanted)
        }
        #expect(error?.reason == "sql.cancelled")
        let task = Task { try await fixture.query("a", endless) }
        task.cancel()
        #expect(await failure { try await task.value }?.reason == "sql.cancelled")
        #expect(try await fixture.query("a", "SELECT 1") == [[SQLValue(1)]])
    }

    @Test func anAnswerIsStoredOnceWithItsEffectAndAudited() async throws {
        try await fixture.migrate("a", entriesTable)
        let scope = try fixture.scope("a") {
            $0.principal = "usr_1"
            $0.route = "POST /x"
            $0.audit = "change"
            $0.requestID = "req_1"
            $0.idempotencyKey = "k1"
            $0.requestDigest = Data([1, 2])
            $0.answerRequired = true
        }
        let request = SQLCommitRequest.with {
            $0.statements = [statement("INSERT INTO {entries} VALUES (?1, :tenant, 1)", [SQLValue("x")])]
            $0.attachments.answer.payload = Data([9])
            $0.attachments.answer.status = 201
        }
        _ = try await fixture.engine.commit(request, for: scope)
        let find = SQLFindAnswerRequest.with {
            $0.tenant = "t1"
            $0.principal = "usr_1"
            $0.route = "POST /x"
            $0.idempotencyKey = "k1"
        }
        let host = try fixture.scope("host")
        let found = try await fixture.engine.findAnswer(find, for: host)
        #expect(
            found.found && found.requestDigest == Data([1, 2]) && found.answer.payload == Data([9])
                && found.answer.status == 201)
        var again = request
        again.statements[0].parameters[0] = SQLValue("y")
        let second = again
        let error = await failure { try await fixture.engine.commit(second, for: scope) }
        #expect(error?.reason == "sql.answer_exists" && error?.code == .aborted)
        #expect(try await fixture.query("a", "SELECT id FROM {entries}") == [[SQLValue("x")]])
        let audit = try await fixture.query("host", "SELECT principal, route, outcome, caller, tenant FROM {audit}")
        #expect(audit == [["usr_1", "POST /x", "changed", "a", "t1"].map { SQLValue($0) }])
        var other = find
        other.tenant = "t2"
        let others = other
        #expect(try await fixture.engine.findAnswer(others, for: host).found == false)
    }

    @Test func aNestedCallStoresNoAnswerButIsAudited() async throws {
        try await fixture.migrate("a", entriesTable)
        let scope = try fixture.scope("a") {
            $0.route = "POST /x"
            $0.audit = "change"
            $0.requestID = "req_1"
        }
        for id in ["x", "y"] {
            let request = SQLCommitRequest.with {
                $0.statements = [statement("INSERT INTO {entries} VALUES (?1, :tenant, 1)", [SQLValue(id)])]
                $0.attachments.answer.payload = Data([9])
            }
            _ = try await fixture.engine.commit(request, for: scope)
        }
        #expect(try await fixture.query("host", "SELECT count(*) FROM {answers}") == [[SQLValue(0)]])
        #expect(try await fixture.query("host", "SELECT count(*) FROM {audit}") == [[SQLValue(2)]])
    }

    @Test func oldAnswersAreRemovedByTheHour() async throws {
        let clock = EngineClock()
        let engine = try EngineFixture.open("\(fixture.folder)/other.db", now: { clock.now })
        defer { engine.close() }
        func answer(_ key: String) async throws {
            let scope = try fixture.scope("a") {
                $0.route = "POST /x"
                $0.requestID = key
                $0.answerRequired = true
            }
            _ = try await engine.commit(.with { $0.attachments.answer.payload = Data([1]) }, for: scope)
        }
        try await answer("old")
        clock.advance(8 * 86_400_000)
        try await answer("new")
        // The removal is queued behind that commit; the next write runs after it.
        try await answer("newer")
        let keys = try await engine.query(
            .with { $0.statement = statement("SELECT key FROM {answers} ORDER BY key") }, for: fixture.scope("host"))
        #expect(keys.rows.map { $0.values[0].text } == ["new", "newer"])
    }

    @Test func auditRowsOfRefusalsAreAppended() async throws {
        let context = HostContext.with {
            $0.tenant = "t9"
            $0.principal = "usr_2"
            $0.action = "read"
        }
        let entry = SQLAuditEntry.with {
            $0.at = 5
            $0.context = (try? context.serializedData()) ?? Data()
            $0.outcome = "refused"
            $0.reason = "access.denied"
            $0.count = 3
        }
        try await fixture.engine.appendAudit(.with { $0.entries = [entry] }, for: fixture.scope("host"))
        let rows = try await fixture.query("host", "SELECT at, tenant, outcome, reason, count FROM {audit}")
        #expect(rows == [[SQLValue(5), SQLValue("t9"), SQLValue("refused"), SQLValue("access.denied"), SQLValue(3)]])
    }

    @Test func theSelfTestPassesAndLeavesNothing() async throws {
        try await fixture.engine.selfTest()
        #expect(try await fixture.query("host", "SELECT count(*) FROM {cursors}") == [[SQLValue(0)]])
    }
}
