// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin

/// Schemas: in order, once, never edited, of the portable subset, on every engine.
struct MigratingTests {
    @Test(arguments: Engine.allCases)
    func eachChangeIsMadeOnce(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let db = storage.database()
        #expect(try await db.migrate([Storage.accounts], dryRun: true) == ["001-accounts"])
        #expect(try await db.migrate([Storage.accounts]) == ["001-accounts"])
        #expect(try await db.migrate([Storage.accounts]) == [])
        let more = Migration("002-note", "ALTER TABLE {accounts} ADD COLUMN note TEXT;")
        #expect(try await db.migrate([Storage.accounts, more]) == ["002-note"])
        try await db.commit {
            $0.run("INSERT INTO {accounts} (tenant, id, note) VALUES (:tenant, 'a', 'n')", expect: 1)
        }
    }

    @Test(arguments: Engine.allCases)
    func whatWasReleasedDoesNotChange(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let db = storage.database()
        try await db.migrate([Storage.accounts])
        var edited = Storage.accounts
        edited.sql += "\nCREATE INDEX {another} ON {accounts} (tenant, name);"
        let error = await #expect(throws: PluginError.self) { try await db.migrate([edited]) }
        #expect(error?.reason == "sql.migration_edited")
        let missing = await #expect(throws: PluginError.self) { try await db.migrate([]) }
        #expect(missing?.reason == "sql.migration_missing")
    }

    @Test(arguments: Engine.allCases)
    func aChangeThatFailsLeavesNothing(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let db = storage.database()
        await #expect(throws: PluginError.self) {
            try await db.migrate([
                Storage.accounts,
                Migration("002-bad", "CREATE INDEX {a} ON {accounts} (name); CREATE INDEX {b} ON {nowhere} (x);"),
            ])
        }
        #expect(try await db.migrate([Storage.accounts]) == ["001-accounts"])
    }

    @Test(arguments: Engine.allCases)
    func manyHostsAtOnceMakeEachChangeOnce(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let list = (1...5).map { Migration("00\($0)-t", "CREATE TABLE {t\($0)} (tenant TEXT NOT NULL, id BIGINT);") }
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<8 { group.addTask { try await storage.database().migrate(list) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == list.map(\.name))
    }

    @Test(arguments: Engine.allCases)
    func aTableHasTenantsOrSaysThatItHasNone(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().migrate([Migration("001", "CREATE TABLE {words} (id TEXT NOT NULL);")])
        }
        #expect(error?.reason == "sql.no_tenant")
        let global = Migration("001", "-- global: {words}\nCREATE TABLE {words} (id TEXT NOT NULL);")
        #expect(try await storage.database().migrate([global]) == ["001"])
    }

    @Test(arguments: Engine.allCases)
    func onlyTheEnginesOwnBlocksRun(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let db = storage.database()
        try await db.migrate([
            Storage.accounts,
            Migration(
                "002-sqlite", engine: "sqlite",
                "CREATE INDEX {special} ON {accounts} (tenant, length(name) COLLATE NOCASE);"),
            Migration(
                "002-postgresql", engine: "postgresql",
                "CREATE INDEX {special} ON {accounts} USING hash (name);"),
        ])
        try await storage.fill(1)
    }

    static let refused = [
        "CREATE TABLE {t} (tenant TEXT, id INTEGER PRIMARY KEY AUTOINCREMENT);",
        "CREATE TABLE {t} (tenant TEXT, at DATETIME);",
        "CREATE TABLE {t} (tenant TEXT, id SERIAL);",
        "CREATE TABLE {t} (tenant TEXT, tags TEXT[]);",
        "CREATE TEMP TABLE {t} (tenant TEXT);",
        "CREATE TABLE {t} (tenant TEXT, id TEXT DEFAULT (datetime('now')));",
        "CREATE VIRTUAL TABLE {t} USING fts5(tenant, body);",
        "CREATE EXTENSION vector;",
        "CREATE TABLE {t} (tenant TEXT); INSERT OR IGNORE INTO {t} VALUES ('a');",
        "CREATE TABLE {t} (tenant TEXT); REPLACE INTO {t} VALUES ('a');",
        "CREATE TABLE {t} (tenant TEXT); UPDATE {t} SET tenant = strftime('%s', 'now');",
        "CREATE TABLE {t} (tenant TEXT); UPDATE {t} SET tenant = tenant::text;",
    ]

    @Test(arguments: Engine.allCases, refused)
    func whatOnlyOneEngineHasIsRefused(_ engine: Engine, _ sql: String) async throws {
        let storage = try await Storage(engine)
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().migrate([Migration("001", sql)], dryRun: true)
        }
        #expect(error?.reason == "sql.not_portable", "\(String(describing: error))")
        #expect(error?.detail.hasPrefix("/migrations/0") == true)
    }
}
