// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

/// A server that lives and takes no writes any more (25006), under connections that live too.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ReadOnlyServerTests {
    private func setReadOnly(_ isReadOnly: Bool, _ server: PostgreSQLServer) async throws {
        try await server.sql(
            "ALTER SYSTEM SET default_transaction_read_only = \(isReadOnly ? "on" : "off");\nSELECT pg_reload_conf()")
    }

    private func insert(_ fixture: EngineFixture, _ id: String) async throws {
        let scope = try fixture.scope("counter")
        _ = try await fixture.engine.commit(
            .with {
                $0.statements = [
                    statement("INSERT INTO {entries} (id, tenant, n) VALUES (?1, :tenant, 1)", [SQLValue(id)])
                ]
                $0.attachments.events = [event("counter.raised", id)]
            }, for: scope)
    }

    /// Repeats what may be repeated, as a caller does, until it goes through; anything else fails.
    private func insist<Output>(_ what: String, _ body: () async throws -> Output) async throws -> Output {
        while true {
            do {
                return try await body()
            } catch let error as StorageError where error.effect == .none && error.retry == .safe {
                #expect(["sql.read_only", "sql.unreachable", "sql.connection_lost"].contains(error.reason), "\(what)")
            }
        }
    }

    /// Waits until the server refuses to write; a reload is heard by each connection in its own time.
    private func untilRefused(_ fixture: EngineFixture, _ prefix: String) async throws -> StorageError {
        var number = 0
        while true {
            number += 1
            do {
                try await insert(fixture, "\(prefix)-\(number)")
            } catch let error as StorageError {
                return error
            }
        }
    }

    @Test func aServerThatTakesNoWritesForAWhileIsWaitedFor() async throws {
        let server = try await PostgreSQLServer.start()
        let fixture = try await EngineFixture(server: server) { $0.pool.waitMilliseconds = 300 }
        try await fixture.migrate("counter", entriesTable)
        try await insert(fixture, "before")
        let opened = fixture.engine.pool.figures.opened
        #expect(fixture.engine.pool.figures.evicted == 0)
        try await setReadOnly(true, server)
        let error = try await untilRefused(fixture, "in")
        #expect(error.code == .unavailable && error.retry == .safe && error.effect == .none)
        #expect(["sql.read_only", "sql.unreachable"].contains(error.reason))
        let scope = try fixture.scope("counter")
        let begun = await failure {
            let transaction = try await fixture.engine.begin(for: scope)
            defer { transaction.rollback() }
            _ = try await transaction.run(statement("UPDATE {entries} SET n = 2 WHERE tenant = :tenant"))
        }
        #expect(begun?.retry == .safe)
        #expect(await failure { try await fixture.migrate("other", entriesTable) }?.retry == .safe)
        let status = try await fixture.engine.status()
        #expect(!status.writable && !status.reason.isEmpty)

        try await setReadOnly(false, server)
        try await insist("a commit") { try await insert(fixture, "after") }
        try await insist("a migration") { try await fixture.migrate("other", entriesTable) }
        #expect(try await fixture.engine.status().writable)
        // What refused was closed, and dialled anew.
        let figures = fixture.engine.pool.figures
        #expect(figures.evicted > 0 && figures.opened > opened)
        #expect(try await fixture.engine.status().figures["connections_evicted"] == Int64(figures.evicted))
        fixture.engine.close()
        try await server.stop()
    }

    /// The old primary goes on answering, so no connection ends: writes and the log move to the new one all the same.
    @Test func aPrimaryThatSteppedDownIsLeftForTheNewOne() async throws {
        let server = try await PostgreSQLServer.start(.init(isDurable: true))
        let standby = try await server.makeStandby()
        let both = [server, standby].map { ServerAddress(host: "127.0.0.1", port: $0.port) }
        let fixture = try await EngineFixture(server: server) {
            $0.server.addresses = both
            $0.pool.waitMilliseconds = 20_000
        }
        // It only reads, so nobody tells it by refusing.
        let reader = try await EngineFixture.open(server, fixture.database) { $0.server.addresses = both }
        try await fixture.migrate("counter", entriesTable)
        try await insert(fixture, "before")
        let host = try fixture.scope("host")
        func read(_ engine: Engine, after: Int64) async throws -> EventsReadResponse {
            try await insist("a read") {
                try await engine.read(
                    .with {
                        $0.after = after
                        $0.limit = 1000
                        $0.waitMs = 30_000
                    }, for: host)
            }
        }
        for engine in [fixture.engine, reader] {
            #expect(try await read(engine, after: 0).events.map(\.aggregate) == ["before"])
        }
        let port = SQLQueryRequest.with { $0.statement = statement("SELECT inet_server_port()".engineSpecific) }
        #expect(try await reader.query(port, for: host).rows[0].values[0].integer == Int64(server.port))

        try await server.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        try await setReadOnly(true, server)
        try await standby.promote()
        try await insist("a commit") { try await insert(fixture, "after") }
        #expect(fixture.engine.pool.figures.evicted > 0)
        let rows = try await standby.sql(
            "SELECT id FROM theatre_counter.counter__entries ORDER BY id", in: fixture.database)
        #expect(rows.contains("after"))
        for engine in [fixture.engine, reader] {
            var seen: [String] = []
            var place: Int64 = 0
            while !seen.contains("after") {
                let response = try await read(engine, after: place)
                if response.events.isEmpty { break }
                seen += response.events.map(\.aggregate)
                place = response.head
            }
            #expect(seen.first == "before" && seen.last == "after")
            var found: Int64 = 0
            while found != Int64(standby.port) {
                let rows = try await insist("a query") { try await engine.query(port, for: host) }
                found = rows.rows[0].values[0].integer
            }
        }
        #expect(try await server.sql("SELECT pg_is_in_recovery()") == "f", "it lives")
        fixture.engine.close()
        reader.close()
        try await standby.stop()
        try await server.stop()
    }
}
