// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreStorage

@testable import PostgreSQL

struct MigrationTests {
    let fixture: EngineFixture

    init() async throws { fixture = try await EngineFixture() }

    private func migrate(_ list: SQLMigration..., dryRun: Bool = false) async throws -> SQLMigrateResponse {
        try await fixture.engine.migrate(
            .with {
                $0.migrations = list
                $0.dryRun = dryRun
            }, for: fixture.scope("shop"))
    }

    @Test func eachIsAppliedOnceInOrder() async throws {
        let first = migration("001", entriesTable)
        let second = migration(
            "002", "ALTER TABLE {entries} ADD COLUMN note TEXT; CREATE INDEX {entries_by_n} ON {entries} (n);")
        #expect(try await migrate(first).applied == ["001"])
        #expect(try await migrate(first, second).applied == ["002"])
        #expect(try await migrate(first, second).applied.isEmpty)
        #expect(try await fixture.query("shop", "SELECT note FROM {entries}").isEmpty)
    }

    @Test func oneThatWasEditedOrIsMissingIsRefused() async throws {
        _ = try await migrate(migration("001", entriesTable), migration("002", "CREATE TABLE {b} (tenant TEXT);"))
        let edited = await failure {
            try await migrate(migration("001", entriesTable + " "), migration("002", "CREATE TABLE {b} (tenant TEXT);"))
        }
        #expect(edited?.reason == "sql.migration_edited")
        #expect(await failure { try await migrate(migration("001", entriesTable)) }?.reason == "sql.migration_missing")
    }

    @Test func aFaultKeepsTheWholeListBack() async throws {
        let error = await failure {
            try await migrate(migration("001", entriesTable), migration("002", "CREATE TABLE {entries} (tenant TEXT);"))
        }
        #expect(error?.detail == "/migrations/1")
        #expect(await failure { try await fixture.query("shop", "SELECT 1 FROM {entries}") }?.reason == "sql.syntax")
        let tenant = await failure { try await migrate(migration("001", "CREATE TABLE {b} (id TEXT);")) }
        #expect(tenant?.reason == "sql.no_tenant")
        #expect(try await migrate(migration("001", "-- global: {b}\nCREATE TABLE {b} (id TEXT);")).applied == ["001"])
    }

    @Test func aDryRunSaysWhatItWouldDo() async throws {
        let response = try await migrate(migration("001", entriesTable), dryRun: true)
        #expect(response.applied == ["001"] && response.statements.count == 1)
        #expect(response.statements[0].contains("\"shop__entries\"") && response.statements[0].contains("BIGINT"))
        #expect(await failure { try await fixture.query("shop", "SELECT 1 FROM {entries}") } != nil)
    }

    @Test func aBlockForAnotherEngineIsRecordedAndSkipped() async throws {
        let list = [
            migration("001", "CREATE VIRTUAL TABLE {s} USING fts5(x);", engine: "sqlite"),
            migration("002", "CREATE TABLE {s} (tenant TEXT, x TEXT, v tsvector);", engine: "postgresql"),
        ]
        #expect(try await migrate(list[0], list[1]).applied == ["001", "002"])
        #expect(try await fixture.query("shop", "SELECT x FROM {s}").isEmpty)
    }

    @Test func hostsThatStartTogetherApplyItOnce() async throws {
        let others = try await [
            EngineFixture.open(fixture.server, fixture.database), EngineFixture.open(fixture.server, fixture.database),
        ]
        defer { for other in others { other.close() } }
        let scope = try fixture.scope("shop")
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for engine in others + [fixture.engine] {
                group.addTask {
                    try await engine.migrate(.with { $0.migrations = [migration("001", entriesTable)] }, for: scope)
                        .applied.count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(applied == 1)
    }

    @Test func hostsThatOpenAnEmptyDatabaseTogetherMakeItsTablesOnce() async throws {
        let server = fixture.server
        for _ in 0..<3 {
            let database = try await server.makeDatabase()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        let engine = try await EngineFixture.open(server, database)
                        let scope = try fixture.scope("shop\(number % 2)")
                        let request = SQLMigrateRequest.with { $0.migrations = [migration("001", entriesTable)] }
                        _ = try await engine.migrate(request, for: scope)
                        engine.close()
                    }
                }
                try await group.waitForAll()
            }
            let made = try await server.sql(
                "SELECT namespace, name FROM theatre_host.host__migrations WHERE namespace <> '' ORDER BY 1, 2",
                in: database)
            #expect(made == "shop0|001\nshop1|001")
        }
    }

    @Test func statementsOfBeforeAreReadAnewAfterAChange() async throws {
        let first = migration("001", entriesTable)
        _ = try await migrate(first)
        try await fixture.commit("shop", "INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 7)")
        #expect(try await fixture.query("shop", "SELECT * FROM {entries}")[0].count == 3)
        _ = try await migrate(first, migration("002", "ALTER TABLE {entries} ADD COLUMN note TEXT;"))
        #expect(try await fixture.query("shop", "SELECT * FROM {entries}")[0].count == 4)
    }

    /// A column that is NOT NULL is sorted as its index is; any other as SQLite sorts it, from the migration on that makes
    /// it so.
    @Test func onlyWhatMayBeNullIsToldWhereItsNullsGo() async throws {
        let namespace = try fixture.scope("shop").namespace
        func told(_ sql: String) throws -> String {
            try fixture.engine.texts.text(sql, in: namespace, for: .query, prefix: "theatre").sql
        }
        let first = migration("001", entriesTable)
        _ = try await migrate(first)
        let byKey = "SELECT n FROM {entries} WHERE tenant = :tenant ORDER BY id, n DESC LIMIT 1"
        #expect(try !told(byKey).contains("NULLS"))
        _ = try await migrate(
            first,
            migration("002", "CREATE TABLE {notes} (tenant TEXT NOT NULL, n BIGINT, id TEXT NOT NULL);"))
        #expect(try told(byKey).contains("ORDER BY id, n DESC NULLS LAST LIMIT 1"))
        // A host that starts later knows it too.
        let other = try await EngineFixture.open(fixture.server, fixture.database)
        defer { other.close() }
        _ = try await other.query(.with { $0.statement = statement("SELECT 1") }, for: fixture.scope("shop"))
        #expect(try other.texts.text(byKey, in: namespace, for: .query, prefix: "theatre").sql == told(byKey))
    }
}
