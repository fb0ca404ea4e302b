// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin

/// A statement on tenants' tables says whose rows it means.
@Suite(.closing) struct TenantTests {
    private static let tables = [
        Storage.accounts,
        Migration("002-words", "-- global: {words}\nCREATE TABLE {words} (tenant TEXT NOT NULL, word TEXT NOT NULL);"),
    ]

    private func storage(_ engine: Engine) async throws -> Storage {
        let storage = try await Storage(engine, checksTenants: true)
        try await storage.database().migrate(Self.tables)
        return storage
    }

    static let refused = [
        "SELECT id FROM {accounts}", "SELECT id FROM {Accounts} WHERE tenant = 't1'",
        "SELECT word FROM {words} JOIN {accounts} ON {accounts}.name = word",
        "SELECT id FROM {accounts} WHERE name = ':tenant' -- :tenant",
    ]

    @Test(arguments: Engine.allCases, refused)
    func aStatementThatForgetsTheTenantIsRefused(_ engine: Engine, _ sql: String) async throws {
        let db = try await storage(engine).database()
        let error = await #expect(throws: PluginError.self) { try await db.read(sql) }
        #expect(error?.reason == "sql.tenant_unbound" && error?.code == .invalidArgument)
        #expect(error?.message.contains("Table accounts has rows of every tenant") == true, "\(error?.message ?? "")")
    }

    @Test(arguments: Engine.allCases)
    func soAreWritesWhereverTheyAreSent(_ engine: Engine) async throws {
        let db = try await storage(engine).database()
        let delete = "DELETE FROM {accounts} WHERE id = 'a'"
        let commit = await #expect(throws: PluginError.self) { try await db.commit { $0.run(delete) } }
        #expect(commit?.reason == "sql.tenant_unbound")
        let write = await #expect(throws: PluginError.self) { try await db.write { tx in try await tx.run(delete) } }
        #expect(write?.reason == "sql.tenant_unbound")
        let stream = await #expect(throws: PluginError.self) {
            for try await _ in try await db.stream("SELECT id FROM {accounts}") {}
        }
        #expect(stream?.reason == "sql.tenant_unbound")
    }

    @Test(arguments: Engine.allCases)
    func whatMeansAllTenantsSaysSo(_ engine: Engine) async throws {
        let storage = try await storage(engine)
        for tenant in ["t1", "t2"] {
            try await storage.database(tenant: tenant).commit {
                $0.run("INSERT INTO {accounts} (tenant, id) VALUES (:tenant, 'a')", expect: 1)
            }
        }
        let db = storage.database()
        #expect(try await db.read("SELECT id FROM {accounts} WHERE tenant = :tenant").count == 1)
        #expect(try await db.read("/* tenants: all */ SELECT id FROM {accounts}").count == 2)
        #expect(try await db.read("SELECT word FROM {words}").isEmpty, "a table that is declared global")
        let changed = try await db.commit {
            $0.run("/* tenants: all */ UPDATE {accounts} SET amount = 1 WHERE amount = 0", expect: 2)
        }
        #expect(changed[0].changed == 2)
    }

    /// Migrations change the tables of all tenants.
    @Test(arguments: Engine.allCases)
    func migrationsAreNotHeldToIt(_ engine: Engine) async throws {
        let db = try await storage(engine).database()
        let fill = Migration("003-fill", "UPDATE {accounts} SET amount = amount + 1;")
        #expect(try await db.migrate(Self.tables + [fill]) == ["003-fill"])
    }
}
