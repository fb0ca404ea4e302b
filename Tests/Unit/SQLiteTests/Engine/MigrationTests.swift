// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import SQLite

struct MigrationTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private func migrate(_ list: [SQLMigration], dryRun: Bool = false, as caller: String = "a") async throws -> [String]
    {
        let request = SQLMigrateRequest.with {
            $0.migrations = list
            $0.dryRun = dryRun
        }
        return try await fixture.engine.migrate(request, for: fixture.scope(caller)).applied
    }

    private let first = migration("001-entries", entriesTable)
    private let second = migration(
        "002-note", "ALTER TABLE {entries} ADD COLUMN note TEXT; CREATE INDEX {by_n} ON {entries} (n);")

    @Test func eachIsAppliedOnceInOrder() async throws {
        #expect(try await migrate([first]) == ["001-entries"])
        #expect(try await migrate([first, second]) == ["002-note"])
        #expect(try await migrate([first, second]).isEmpty)
        #expect(try await migrate([first], as: "b") == ["001-entries"])
        try await fixture.commit("a", "INSERT INTO {entries} (id, tenant, n, note) VALUES ('x', :tenant, 1, 'y')")
    }

    @Test func aChangedListIsRefused() async throws {
        _ = try await migrate([first, second])
        let edited = await failure { try await migrate([first, migration("002-note", "SELECT 1;")]) }
        #expect(
            edited?.reason == "sql.migration_edited" && edited?.code == .failedPrecondition
                && edited?.detail == "/migrations/1/sql")
        #expect(await failure { try await migrate([first]) }?.reason == "sql.migration_missing")
        #expect(await failure { try await migrate([second, first]) }?.reason == "sql.migration_order")
        #expect(await failure { try await migrate([first, first]) }?.reason == "sql.migration_name")
        #expect(
            await failure { try await migrate([first, migration("3", "SELECT 1;", engine: "mysql")]) }?.reason
                == "sql.migration_engine")
    }

    @Test func aDryRunAppliesNothing() async throws {
        #expect(try await migrate([first, second], dryRun: true) == ["001-entries", "002-note"])
        #expect(await failure { try await fixture.query("a", "SELECT * FROM {entries}") }?.reason == "sql.syntax")
        #expect(try await migrate([first]) == ["001-entries"])
    }

    @Test func aFailureKeepsTheWholeListBack() async throws {
        let error = await failure {
            try await migrate([first, migration("002", "CREATE TABLE {x} (tenant TEXT); SELECT nothing;")])
        }
        #expect(error?.reason == "sql.syntax" && error?.detail == "/migrations/1")
        #expect(error?.message.hasPrefix("Migration 002: ") == true)
        #expect(try await migrate([first]) == ["001-entries"])
    }

    @Test func anotherEnginesMigrationIsRecordedOnly() async throws {
        let other = migration("002-pg", "CREATE EXTENSION vector; this is no SQL {", engine: "postgresql")
        let own = migration("003-lite", "CREATE TABLE {lite} (tenant TEXT);", engine: "sqlite")
        #expect(try await migrate([first, other, own]) == ["001-entries", "002-pg", "003-lite"])
        #expect(try await migrate([first, other, own]).isEmpty)
        try await fixture.commit("a", "INSERT INTO {lite} VALUES (:tenant)")
    }

    @Test func everyTableHasATenantOrIsDeclaredGlobal() async throws {
        let bare = await failure { try await migrate([migration("1", "CREATE TABLE {words} (word TEXT);")]) }
        #expect(bare?.reason == "sql.no_tenant" && bare?.message.contains("words") == true)
        let said = migration(
            "1", "-- global: {words}, {names}\nCREATE TABLE {words} (word TEXT); CREATE TABLE {names} (name TEXT);")
        #expect(try await migrate([said]) == ["1"])
        let next = migration("2", entriesTable)
        #expect(try await migrate([said, next]) == ["2"], "what an applied migration declared still holds")
        let dropped = migration("3", "CREATE TABLE {t} (tenant TEXT, x TEXT); ALTER TABLE {t} DROP COLUMN tenant;")
        #expect(await failure { try await migrate([said, next, dropped]) }?.reason == "sql.no_tenant")
    }

    @Test func triggersRebuildsAndFullTextWork() async throws {
        let list = [
            first,
            migration("002", "CREATE VIRTUAL TABLE {search} USING fts5(tenant UNINDEXED, body);", engine: "sqlite"),
            migration(
                "003",
                """
                CREATE TRIGGER {log} AFTER INSERT ON {entries} BEGIN
                    INSERT INTO {search} (tenant, body) VALUES (new.tenant, new.id); -- one each
                END;
                """, engine: "sqlite"),
            migration(
                "004",
                """
                CREATE TABLE {next} (id TEXT NOT NULL, tenant TEXT NOT NULL, n INTEGER NOT NULL, extra TEXT);
                INSERT INTO {next} SELECT id, tenant, n, '' FROM {entries};
                DROP TRIGGER {log}; DROP TABLE {entries}; ALTER TABLE {next} RENAME TO {entries};
                ALTER TABLE {entries} RENAME COLUMN extra TO note;
                """, engine: "sqlite"),
        ]
        #expect(try await migrate(Array(list.prefix(3))).count == 3)
        try await fixture.commit("a", "INSERT INTO {entries} VALUES ('hello world', :tenant, 1)")
        #expect(
            try await fixture.query("a", "/* engine: sqlite */ SELECT body FROM {search} WHERE {search} MATCH 'world'")
                == [
                    [SQLValue("hello world")]
                ])
        #expect(try await migrate(list) == ["004"])
        #expect(
            try await fixture.query("a", "SELECT id, note FROM {entries}") == [[SQLValue("hello world"), SQLValue("")]])
    }

    @Test func aMigrationHasNoParameters() async throws {
        let error = await failure {
            try await migrate([first, migration("2", "UPDATE {entries} SET n = 1 WHERE tenant = :tenant;")])
        }
        #expect(error?.reason == "sql.syntax")
    }
}
