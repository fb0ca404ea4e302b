// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import SQLite

/// What one instance cannot do to another's tables.
struct IsolationTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private func prepare() async throws {
        try await fixture.migrate("alice", entriesTable)
        try await fixture.migrate("bob", entriesTable)
        try await fixture.commit("bob", "INSERT INTO {entries} VALUES ('secret', :tenant, 42)")
    }

    @Test(arguments: [
        "SELECT * FROM bob__entries", "SELECT count(*) FROM bob__entries", "SELECT n FROM \"BOB__Entries\"",
        "SELECT n FROM [bob__entries]", "SELECT n FROM `bob__entries`", "SELECT n FROM 'bob__entries'",
        "SELECT 1 FROM main.bob__entries", "SELECT (SELECT n FROM bob__entries)",
        "SELECT a.n FROM {entries} a JOIN bob__entries b ON true",
        "WITH c AS (SELECT * FROM bob__entries) SELECT count(*) FROM c",
        "SELECT count(*) FROM bob__entries UNION ALL SELECT n FROM (WITH bob__entries AS (SELECT 1 n) SELECT n FROM bob__entries)",
        "SELECT name FROM sqlite_master", "SELECT rowid FROM sqlite_master", "SELECT rowid FROM 'sqlite_schema'",
        "SELECT rowid FROM [SQLITE_MASTER]", "SELECT rowid FROM main.\"sqlite_master\"",
        "SELECT count(*) FROM sqlite_schema", "SELECT * FROM sqlite_sequence",
        "SELECT * FROM sqlite_temp_master", "SELECT * FROM pragma_table_info('bob__entries')",
        "SELECT count(*) FROM pragma_table_list", "SELECT count(*) FROM dbstat", "SELECT payload FROM host__answers",
        "SELECT * FROM host__events",
        "SELECT * FROM nobody__entries", "SELECT * FROM main.nobody__entries",
    ])
    func foreignTablesCannotBeRead(sql: String) async throws {
        try await prepare()
        let error = await failure { try await fixture.query("alice", "/* engine: sqlite */ " + sql) }
        // What this build of SQLite has not is a syntax error, which is as good.
        #expect(
            error?.reason == "sql.foreign_table" || error?.message.contains("no such table") == true,
            "\(sql): \(error as Any)")
        let written = await failure { try await fixture.commit("alice", "/* engine: sqlite */ " + sql) }
        #expect(written?.reason == error?.reason)
    }

    @Test(arguments: [
        "INSERT INTO bob__entries VALUES ('x', 't1', 1)", "UPDATE bob__entries SET n = 0", "DELETE FROM bob__entries",
        "REPLACE INTO bob__entries VALUES ('secret', 't1', 1)", "INSERT INTO {entries} SELECT * FROM bob__entries",
        "UPDATE {entries} SET n = (SELECT max(n) FROM bob__entries)", "DELETE FROM sqlite_sequence",
        "UPDATE sqlite_master SET sql = ''", "UPDATE 'sqlite_schema' SET sql = ''",
        "UPDATE {entries} SET n = b.n FROM bob__entries b", "WITH x AS (SELECT 1) DELETE FROM bob__entries",
    ])
    func foreignTablesCannotBeChanged(sql: String) async throws {
        try await prepare()
        let error = await failure { try await fixture.commit("alice", "/* engine: sqlite */ " + sql) }
        #expect(error?.reason == "sql.foreign_table", "\(error as Any)")
        #expect(error?.code == .permissionDenied)
        #expect(try await fixture.query("bob", "SELECT n FROM {entries}") == [[SQLValue(42)]])
    }

    @Test(arguments: [
        "CREATE TABLE bob__more (tenant TEXT);", "CREATE TABLE more (tenant TEXT);", "DROP TABLE bob__entries;",
        "CREATE INDEX {i} ON bob__entries (n);", "CREATE INDEX bob__i ON {entries} (n);",
        "ALTER TABLE bob__entries ADD COLUMN x;", "ALTER TABLE {entries} RENAME TO bob__stolen;",
        "ALTER TABLE {entries} RENAME TO plain;",
        "CREATE TRIGGER {t} AFTER INSERT ON bob__entries BEGIN DELETE FROM {entries}; END;",
        "CREATE TRIGGER bob__t AFTER INSERT ON {entries} BEGIN DELETE FROM {entries}; END;",
        "CREATE VIEW bob__v AS SELECT 1;", "CREATE TEMP TABLE x (tenant);", "CREATE TABLE temp.alice__x (tenant);",
        "SELECT * FROM sqlite_master;", "UPDATE sqlite_schema SET sql = '';", "DELETE FROM \"sqlite_sequence\";",
        "CREATE VIEW {v} AS SELECT * FROM 'sqlite_master'; SELECT * FROM {v};",
        "INSERT INTO bob__entries VALUES ('x', 't1', 1);", "END;", "CREATE VIRTUAL TABLE {x} USING dbstat;",
        "CREATE TABLE {c} AS SELECT *, '' AS tenant FROM bob__entries;", "PRAGMA user_version = 3;", "COMMIT;",
        "ATTACH ':memory:' AS other;",
        "CREATE TABLE {f} (tenant TEXT, x REFERENCES bob__entries (id)); DROP TABLE bob__entries;",
    ])
    func migrationsReachOwnTablesOnly(sql: String) async throws {
        try await prepare()
        let list = SQLMigrateRequest.with {
            $0.migrations = [migration("001", entriesTable), migration("002", sql, engine: "sqlite")]
        }
        let error = await failure { try await fixture.engine.migrate(list, for: fixture.scope("alice")) }
        #expect(["sql.foreign_table", "sql.refused_statement"].contains(error?.reason ?? ""), "\(error as Any)")
        #expect(try await fixture.query("bob", "SELECT n FROM {entries}") == [[SQLValue(42)]])
        // Nothing of it stayed.
        let again = try await fixture.engine.migrate(
            .with { $0.migrations = [migration("001", entriesTable)] }, for: fixture.scope("alice"))
        #expect(again.applied.isEmpty)
    }

    @Test func aTriggerCannotReachIntoAnotherNamespace() async throws {
        try await prepare()
        let list = SQLMigrateRequest.with {
            $0.migrations = [
                migration("001", entriesTable),
                migration(
                    "002", "CREATE TRIGGER {t} AFTER INSERT ON {entries} BEGIN DELETE FROM bob__entries; END;",
                    engine: "sqlite"),
            ]
        }
        do {
            // SQLite looks into the body only when it fires.
            _ = try await fixture.engine.migrate(list, for: fixture.scope("alice"))
        } catch { return }
        let error = await failure {
            try await fixture.commit("alice", "INSERT INTO {entries} VALUES ('a', :tenant, 1)")
        }
        #expect(error?.reason == "sql.foreign_table")
        #expect(try await fixture.query("bob", "SELECT n FROM {entries}") == [[SQLValue(42)]])
    }

    @Test func aViewCannotReachIntoAnotherNamespace() async throws {
        try await prepare()
        let list = SQLMigrateRequest.with {
            $0.migrations = [
                migration("001", entriesTable), migration("002", "CREATE VIEW {v} AS SELECT * FROM bob__entries;"),
            ]
        }
        do { _ = try await fixture.engine.migrate(list, for: fixture.scope("alice")) } catch { return }
        for sql in ["SELECT * FROM {v}", "SELECT count(*) FROM {v}", "SELECT n FROM {v}"] {
            let error = await failure { try await fixture.query("alice", sql) }
            #expect(error?.reason == "sql.foreign_table")
        }
    }

    @Test func aCommonTableExpressionMayHaveAnyName() async throws {
        try await prepare()
        #expect(try await fixture.query("alice", "WITH c AS (SELECT 7 AS n) SELECT n FROM c") == [[SQLValue(7)]])
        #expect(try await fixture.query("alice", "WITH c AS (SELECT 7 AS n) SELECT count(*) FROM c") == [[SQLValue(1)]])
        #expect(
            try await fixture.query("alice", "WITH bob__entries AS (SELECT 7 AS n) SELECT n FROM bob__entries") == [
                [SQLValue(7)]
            ])
        let recursive =
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5) SELECT sum(x) FROM c"
        #expect(try await fixture.query("alice", recursive) == [[SQLValue(15)]])
        #expect(
            try await fixture.query("alice", "/* engine: sqlite */ SELECT value FROM json_each('[1,2]')") == [
                [SQLValue(1)], [SQLValue(2)],
            ])
        #expect(
            try await fixture.query("alice", "/* engine: sqlite */ SELECT count(*) FROM json_each('[1,2]')") == [
                [SQLValue(2)]
            ])
    }

    @Test func aStatementCachedForOneNamespaceIsNotRunForAnother() async throws {
        try await prepare()
        let own = "SELECT n FROM bob__entries"
        for _ in 0..<4 { #expect(try await fixture.query("bob", own) == [[SQLValue(42)]]) }
        for _ in 0..<4 {
            let error = await failure { try await fixture.query("alice", own) }
            #expect(error?.reason == "sql.foreign_table")
        }
    }

    @Test func aStatementThatIsPreparedAgainIsCheckedForItsOwnNamespace() async throws {
        try await prepare()
        let sql = "UPDATE {entries} SET n = n + 1 WHERE id = 'secret' AND tenant = :tenant"
        for round in 1...5 {
            try await fixture.commit("bob", sql)
            try await fixture.commit("alice", sql)
            // Every round changes the schema, so both prepare again at their next step, each after the other's.
            try await fixture.migrate("carol\(round)", entriesTable)
            _ = try await fixture.query("bob", "SELECT n FROM {entries}")
            _ = try await fixture.query("alice", "SELECT n FROM {entries}")
        }
        #expect(try await fixture.query("bob", "SELECT n FROM {entries}") == [[SQLValue(47)]])
    }

    @Test func instancesWhoseNamesMeetAreRefused() async throws {
        try await fixture.migrate("pay-east", entriesTable)
        let error = await failure { try await fixture.query("pay_east", "SELECT * FROM {entries}") }
        #expect(error?.reason == "sql.bad_namespace")
    }

    @Test func randomStatementsOfTwoNamespacesNeverMeet() async throws {
        var generator = SeededGenerator(seed: 7)
        for name in ["alice", "bob"] {
            try await fixture.migrate(name, entriesTable + "CREATE VIEW {all} AS SELECT id, tenant, n FROM {entries};")
        }
        var model: [String: [String: Int64]] = ["alice": [:], "bob": [:]]
        for step in 0..<400 {
            let who = Bool.random(using: &generator) ? "alice" : "bob"
            let tenant = Bool.random(using: &generator) ? "t1" : "t2"
            let id = "k\(Int.random(in: 0..<6, using: &generator))"
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                try await fixture.commit(
                    who, tenant: tenant,
                    "INSERT INTO {entries} VALUES (?1, :tenant, ?2) ON CONFLICT (tenant, id) DO UPDATE SET n = excluded.n",
                    SQLValue(id), SQLValue(Int64(step)))
                model[who]?["\(tenant)/\(id)"] = Int64(step)
            case 1:
                try await fixture.commit(
                    who, tenant: tenant, "DELETE FROM {entries} WHERE tenant = :tenant AND id = ?1", SQLValue(id))
                model[who]?["\(tenant)/\(id)"] = nil
            case 2:
                let other = who == "alice" ? "bob" : "alice"
                let error = await failure { try await fixture.query(who, "SELECT n FROM \(other)__entries") }
                #expect(error?.reason == "sql.foreign_table")
            default:
                let rows = try await fixture.query(
                    who, tenant: tenant, "SELECT tenant || '/' || id, n FROM {all} WHERE tenant = :tenant")
                let found = Dictionary(uniqueKeysWithValues: rows.map { ($0[0].text, $0[1].integer) })
                #expect(found == model[who]?.filter { $0.key.hasPrefix(tenant) })
            }
        }
    }
}
