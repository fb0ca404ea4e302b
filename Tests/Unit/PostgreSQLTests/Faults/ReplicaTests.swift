// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

/// Reads that may be behind, on a real standby, by each way to read.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ReplicaTests {
    /// A way to read: the port of the server that answered.
    private typealias Reading = @Sendable (_ fixture: EngineFixture, _ staleness: UInt32) async throws -> Int64

    private static let port = "SELECT inet_server_port()".engineSpecific

    private static func query(_ fixture: EngineFixture, _ staleness: UInt32) async throws -> Int64 {
        try await fixture.engine.query(request(staleness), for: fixture.scope("counter")).rows[0].values[0].integer
    }

    private static func stream(_ fixture: EngineFixture, _ staleness: UInt32) async throws -> Int64 {
        var ports: [Int64] = []
        try await fixture.engine.queryStream(request(staleness), for: fixture.scope("counter")) { rows in
            ports += rows.rows.map { $0.values[0].integer }
        }
        return try #require(ports.count == 1 ? ports.first : nil)
    }

    private static func transaction(_ fixture: EngineFixture, _ staleness: UInt32) async throws -> Int64 {
        let begin = SQLBegin.with {
            $0.readOnly = true
            $0.maxStalenessMs = staleness
        }
        let transaction = try await fixture.engine.begin(begin, for: fixture.scope("counter"))
        defer { transaction.rollback() }
        let first = try await transaction.run(statement(port)).rows[0].values[0].integer
        let second = try await transaction.run(statement(port)).rows[0].values[0].integer
        _ = try await transaction.commit(SQLAttachments())
        #expect(first == second)
        return second
    }

    private static func request(_ staleness: UInt32) -> SQLQueryRequest {
        .with {
            $0.statement = statement(port)
            $0.maxStalenessMs = staleness
        }
    }

    private static let readings: [(String, Reading)] = [
        ("query", query), ("stream", stream), ("transaction", transaction),
    ]

    /// Reads until `wanted` answers.
    private func reach(
        _ wanted: PostgreSQLServer, _ fixture: EngineFixture, _ read: Reading
    ) async throws {
        while try await read(fixture, 5000) != Int64(wanted.port) {
            try await fixture.commit("counter", "UPDATE {entries} SET n = n + 1 WHERE tenant = :tenant")
        }
    }

    @Test func everyReadGoesToAReplicaWithinItsBoundElseToThePrimary() async throws {
        let server = try await PostgreSQLServer.start()
        let standby = try await server.makeStandby(isSynchronous: false)
        let fixture = try await EngineFixture(server: server) {
            $0.replicas = [ServerAddress(host: "127.0.0.1", port: standby.port)]
        }
        try await fixture.migrate("counter", entriesTable)
        for (name, read) in Self.readings {
            #expect(try await read(fixture, 0) == Int64(server.port), "\(name)")
            try await reach(standby, fixture, read)
        }
        // It stands still from here on, so it is soon too far behind for a strict reader and never for a lenient one.
        try await standby.sql("SELECT pg_wal_replay_pause()")
        try await fixture.commit("counter", "INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 1)")
        for (name, read) in Self.readings {
            var found: Int64 = 0
            while found != Int64(server.port) { found = try await read(fixture, 300) }
            #expect(try await read(fixture, 3_600_000) == Int64(standby.port), "\(name)")
        }
        try await standby.sql("SELECT pg_wal_replay_resume()")
        // Without its replica the primary answers, and nobody waits for what is not there.
        try await standby.stop()
        for (name, read) in Self.readings {
            for _ in 0..<50 { #expect(try await read(fixture, 3_600_000) == Int64(server.port), "\(name)") }
        }
        try await standby.restart()
        for (_, read) in Self.readings { try await reach(standby, fixture, read) }
        fixture.engine.close()
        try await standby.stop()
        try await server.stop()
    }

    /// What writes, or fails by itself, fails as it does on the primary.
    @Test func whatAStatementIsAtFaultForIsTheSameEverywhere() async throws {
        let server = try await PostgreSQLServer.start()
        let standby = try await server.makeStandby(isSynchronous: false)
        let fixture = try await EngineFixture(server: server) {
            $0.replicas = [ServerAddress(host: "127.0.0.1", port: standby.port)]
        }
        try await fixture.migrate("counter", entriesTable)
        for (_, read) in Self.readings { try await reach(standby, fixture, read) }
        let scope = try fixture.scope("counter")
        let request = SQLQueryRequest.with {
            $0.statement = statement("SELECT 1 / (n - n) FROM (SELECT 1 AS n) AS one".engineSpecific)
            $0.maxStalenessMs = 3_600_000
        }
        #expect(await failure { try await fixture.engine.query(request, for: scope) }?.reason == "sql.value")
        #expect(
            await failure { try await fixture.engine.queryStream(request, for: scope) { _ in } }?.reason == "sql.value")
        // A transaction that writes is never a replica's.
        let begin = SQLBegin.with { $0.maxStalenessMs = 3_600_000 }
        let transaction = try await fixture.engine.begin(begin, for: scope)
        defer { transaction.rollback() }
        _ = try await transaction.run(statement("INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 1)"))
        _ = try await transaction.commit(SQLAttachments())
        #expect(try await fixture.query("counter", "SELECT n FROM {entries} WHERE tenant = :tenant").count == 1)
        fixture.engine.close()
        try await standby.stop()
        try await server.stop()
    }
}
