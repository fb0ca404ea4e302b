// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// Transactions: all or nothing, each by itself, on every engine.
struct WritingTests {
    @Test(arguments: Engine.allCases)
    func allOfATransactionIsKeptOrNothing(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(2)
        struct Changed: Error {}
        await #expect(throws: Changed.self) {
            try await storage.database().write { tx in
                try await tx.run("UPDATE {accounts} SET amount = 0")
                throw Changed()
            }
        }
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().commit {
                $0.run("UPDATE {accounts} SET amount = 1", expect: 2)
                $0.run("UPDATE {accounts} SET amount = 2 WHERE id = 'none'", expect: 1)
            }
        }
        #expect(error?.reason == "sql.expectation" && error?.detail == "/statements/1" && error?.code == .aborted)
        #expect(
            try await storage.database().read("SELECT DISTINCT amount FROM {accounts}").map { try $0.int("amount") }
                == [100])
    }

    @Test(arguments: Engine.allCases)
    func brokenRulesSayWhichAndWhere(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.database().migrate([
            Storage.accounts,
            Migration(
                "002-cards",
                """
                CREATE TABLE {cards} (tenant TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL,
                    PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, account) REFERENCES {accounts} (tenant, id));
                """),
        ])
        try await storage.fill(1)
        let cases: [(String, String, PluginError.Code)] = [
            ("INSERT INTO {accounts} (tenant, id) VALUES (:tenant, 'a0')", "sql.unique", .alreadyExists),
            ("INSERT INTO {accounts} (tenant, id, amount) VALUES (:tenant, 'b', -1)", "sql.check", .failedPrecondition),
            (
                "INSERT INTO {cards} (tenant, id, account) VALUES (:tenant, 'c', 'nobody')", "sql.foreign_key",
                .failedPrecondition
            ),
            ("INSERT INTO {cards} (tenant, id) VALUES (:tenant, 'c')", "sql.not_null", .failedPrecondition),
            ("UPDATE {accounts} SET amount = amount + 1 WHERE", "sql.syntax", .invalidArgument),
            ("SELECT nothing FROM {accounts}", "sql.syntax", .invalidArgument),
            ("SELECT 1 FROM {nowhere}", "sql.no_table", .invalidArgument),
        ]
        for (sql, reason, code) in cases {
            let error = await #expect(throws: PluginError.self) {
                try await storage.database().commit {
                    $0.run("UPDATE {accounts} SET amount = 1")
                    $0.run(sql)
                }
            }
            #expect(error?.reason == reason && error?.code == code, "\(sql): \(String(describing: error))")
            #expect(error?.detail == "/statements/1", "\(sql)")
        }
        #expect(try await storage.database().read("SELECT amount FROM {accounts}")[0].int("amount") == 100)
    }

    @Test(arguments: Engine.allCases)
    func tenantsShareNoRow(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(2)
        try await storage.fill(3, tenant: "t2")
        let count = "SELECT count(*) AS n FROM {accounts} WHERE tenant = :tenant"
        #expect(try await storage.database().read(count)[0].int("n") == 2)
        #expect(try await storage.database(tenant: "t2").read(count)[0].int("n") == 3)
        try await storage.database(tenant: "t2").commit { $0.run("DELETE FROM {accounts} WHERE tenant = :tenant") }
        #expect(try await storage.database().read(count)[0].int("n") == 2)
    }

    @Test(arguments: Engine.allCases)
    func noInstanceReachesAnothersTables(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.migrate(as: "other")
        try await storage.fill(1)
        let other = storage.database(as: "other")
        #expect(try await other.read("SELECT id FROM {accounts}").isEmpty)
        let attempts = [
            "SELECT * FROM notes__accounts", "SELECT * FROM \"notes__accounts\"", "SELECT * FROM host__audit",
            "UPDATE notes__accounts SET amount = 0", "DELETE FROM host__events",
            "INSERT INTO host__events (type) VALUES ('x')", "SELECT * FROM {accounts}, notes__accounts",
            "SELECT * FROM (SELECT * FROM notes__accounts) x",
            "WITH x AS (SELECT * FROM notes__accounts) SELECT * FROM x",
            "SELECT * FROM main.notes__accounts", "SELECT * FROM notes.notes__accounts",
            "SELECT * FROM sqlite_master", "SELECT * FROM pg_catalog.pg_class", "SELECT * FROM pg_class",
            "SELECT * FROM information_schema.tables", "PRAGMA table_list", "ATTACH 'x' AS y", "SET ROLE none",
            "RESET ROLE", "SELECT pg_read_file('x')", "SELECT set_config('role', 'none', true)",
            "SELECT load_extension('x')", "COPY {accounts} TO PROGRAM 'x'", "DROP TABLE notes__accounts",
            "BEGIN", "COMMIT", "ROLLBACK", "SELECT 1; COMMIT",
        ]
        for sql in attempts {
            await #expect(throws: PluginError.self, "\(sql)") { try await other.read(sql) }
            await #expect(throws: PluginError.self, "\(sql)") { try await other.commit { $0.run(sql) } }
        }
        #expect(try await storage.database().read("SELECT amount FROM {accounts}")[0].int("amount") == 100)
    }

    @Test(arguments: Engine.allCases)
    func aTransactionLeftOpenEndsAtItsLimit(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(1)
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().write(WriteOptions(timeout: .milliseconds(200), attempts: 1)) { tx in
                try await tx.run("UPDATE {accounts} SET amount = 1", expect: 1)
                // Waits for the row, which this very transaction holds until its limit.
                try await storage.database().commit { $0.run("UPDATE {accounts} SET amount = 2", expect: 1) }
                try await tx.run("SELECT 1")
            }
        }
        #expect(error?.reason == "sql.transaction_timeout")
        #expect(try await storage.database().read("SELECT amount FROM {accounts}")[0].int("amount") == 2)
    }

    @Test(arguments: Engine.allCases)
    func anAnswerIsKeptWithItsEffect(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        let db = storage.database {
            $0.route = "POST /notes"
            $0.requestID = "req_1"
            $0.idempotencyKey = "key_1"
            $0.requestDigest = .init([1, 2])
            $0.audit = "change"
            $0.answerRequired = true
        }
        let answer = HostFireRequest.with { $0.name = "answer" }
        try await db.write { tx in
            try await tx.run("INSERT INTO {accounts} (tenant, id) VALUES (:tenant, 'x')")
            try tx.answer(answer, status: 201)
        }
        let again = await #expect(throws: PluginError.self) {
            try await db.write { tx in
                try await tx.run("INSERT INTO {accounts} (tenant, id) VALUES (:tenant, 'y')")
                try tx.answer(answer)
            }
        }
        #expect(again?.reason == "sql.answer_exists")
        #expect(try await db.read("SELECT id FROM {accounts}").map { try $0.text("id") } == ["x"])
        let stored = try await SQLDatabaseClient(storage.host.scope(as: "host"), feature: "storage").findAnswer(
            .with {
                $0.tenant = "t1"
                $0.principal = "usr_1"
                $0.route = "POST /notes"
                $0.idempotencyKey = "key_1"
            })
        #expect(try stored.found && stored.answer.payload == answer.serializedBytes() && stored.answer.status == 201)
        #expect(stored.requestDigest == .init([1, 2]))
    }
}
