// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

/// Whose tables are whose.
struct RealmTests {
    @Test func whatTheCheckerRefusesNeverReachesTheServer() async throws {
        let fixture = try await EngineFixture()
        try await fixture.migrate("shop", entriesTable)
        for (text, reason) in [
            ("SELECT * FROM other__entries", "sql.foreign_table"),
            ("SELECT * FROM theatre_host.host__events", "sql.foreign_table"),
            ("SELECT * FROM \"theatre_other\".t", "sql.foreign_table"),
            ("SELECT * FROM pg_authid", "sql.refused_statement"),
            ("SELECT set_config('role', 'none', true)", "sql.refused_statement"),
            ("SELECT * FROM information_schema.tables", "sql.foreign_table"),
            ("SELECT query_to_xml('SELECT 1', true, true, '')", "sql.refused_statement"),
            ("SELECT * FROM u&\"other_\\005f_t\"", "sql.refused_statement"),
            ("SELECT $$x$$", "sql.syntax"),
        ] {
            let error = await failure { try await fixture.query("shop", text.engineSpecific) }
            #expect(error?.reason == reason, "\(text)")
        }
        let function = await failure {
            try await fixture.engine.migrate(
                .with {
                    $0.migrations = [
                        migration("001", entriesTable),
                        migration(
                            "002", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", engine: "postgresql"),
                    ]
                }, for: fixture.scope("shop"))
        }
        #expect(function?.code == .permissionDenied)
    }

    @Test func theServerItselfKeepsNamespacesApart() async throws {
        let fixture = try await EngineFixture()
        try await fixture.migrate("shop", entriesTable)
        try await fixture.migrate("bank", entriesTable)
        try await fixture.commit("bank", "INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 7)")
        // As if the checker had been fooled: the statement goes as it is.
        let realm = try await fixture.engine.realm(of: Namespace(caller: "shop"))
        for text in [
            "SELECT n FROM theatre_bank.\"bank__entries\"", "DELETE FROM theatre_bank.\"bank__entries\"",
            "SELECT * FROM theatre_host.host__events", "CREATE TABLE theatre_bank.x (n int)",
            "CREATE TABLE public.x (n int)",
        ] {
            let outcome = try await fixture.engine.pool.run([
                realm.enter(reading: false, statementMilliseconds: 1000, idleMilliseconds: 1000), Step(text),
            ])
            #expect(outcome.failure?.error.state == "42501", "\(text): \(String(describing: outcome.failure))")
        }
        #expect(try await fixture.query("bank", "SELECT n FROM {entries}")[0][0].integer == 7)
    }

    @Test func withoutTheRightToMakeRolesItSaysSoAndGoesOn() async throws {
        let server = try await PostgreSQLServer.shared()
        let database = try await server.makeDatabase()
        try await server.sql("ALTER DATABASE \(database) OWNER TO plain")
        let fixture = try await EngineFixture(server: server, database: database) { $0.server.user = "plain" }
        try await fixture.migrate("shop", entriesTable)
        try await fixture.commit("shop", "INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 7)")
        #expect(try await fixture.query("shop", "SELECT n FROM {entries}").count == 1)
        let status = try await fixture.engine.status()
        #expect(
            status.writable && status.reason.contains("may not make roles")
                && status.figures["roles_per_namespace"] == 0)
        let refused = await failure {
            try await EngineFixture.open(server, database) {
                $0.server.user = "plain"
                $0.roles = .required
            }
        }
        #expect(refused?.reason == "sql.no_roles")
    }

    @Test func callersWhoseTablesWouldMeetAreRefused() async throws {
        let fixture = try await EngineFixture()
        try await fixture.migrate("a-b", entriesTable)
        let error = await failure { try await fixture.query("a_b", "SELECT 1") }
        #expect(error?.reason == "sql.bad_namespace")
    }

    @Test func aWrongPasswordIsSaidAtOnceAndNotRepeated() async throws {
        let server = try await PostgreSQLServer.shared()
        let database = try await server.makeDatabase()
        let error = await failure {
            try await EngineFixture.open(server, database) { $0.server.password = "another one" }
        }
        #expect(error?.reason == "sql.refused" && error?.message.contains("another one") == false)
    }
}
