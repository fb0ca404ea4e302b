// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

/// A server whose disk is full, fails or is damaged: said by the call and by Status, from which `/readyz` has it.
@Suite(.serialized)
struct ServerHealthTests {
    private static let table = "theatre_counter.counter__entries"

    private func insert(_ fixture: EngineFixture, _ id: String) async throws {
        let sql = "INSERT INTO {entries} (id, tenant, n) VALUES (?1, :tenant, 1)"
        try await fixture.commit("counter", sql, SQLValue(id))
    }

    /// Asks until it is so; the disk is looked at only when it has been quiet for a while.
    private func untilWritable(_ fixture: EngineFixture) async throws {
        let end = machineTime() + 60_000
        while try await !fixture.engine.status().writable {
            guard machineTime() < end else {
                Issue.record("it never counts as writable again")
                return
            }
        }
    }

    /// Really ENOSPC, of one table's file: everything else has room, as on a server with several disks.
    @Test func aFullDiskIsSaidUntilThereIsRoom() async throws {
        let server = try await PostgreSQLServer.start()
        let fixture = try await EngineFixture(server: server)
        try await fixture.migrate("counter", entriesTable)
        #expect(try await fixture.engine.status().writable)
        try await server.takeRoom(from: Self.table, in: fixture.database)
        var error = await failure { try await insert(fixture, "a") }
        while error?.reason == "sql.connection_lost" { error = await failure { try await insert(fixture, "a") } }
        #expect(error?.reason == "sql.full" && error?.code == .resourceExhausted)
        #expect(error?.effect == StorageError.Effect.none)
        #expect(error?.retry == .after(milliseconds: 1000))
        let status = try await fixture.engine.status()
        #expect(!status.writable && status.reason.hasPrefix("sql.full: "))
        // What needs no room goes through, and says nothing of the disk.
        _ = try await fixture.engine.append(
            .with { $0.events = [event("counter.raised", "a")] }, for: fixture.scope("counter"))
        #expect(try await fixture.query("counter", "SELECT id FROM {entries}").isEmpty)
        #expect(try await !fixture.engine.status().writable)

        try await server.giveRoom(to: Self.table, in: fixture.database)
        for number in 0..<100 {
            // What the end of its connection leaves open is stored or not; the next has a name of its own.
            do {
                try await insert(fixture, "b\(number)")
                break
            } catch let error as StorageError where error.reason == "sql.connection_lost" { continue }
        }
        try await untilWritable(fixture)
        #expect(try await !fixture.query("counter", "SELECT id FROM {entries}").isEmpty)
        #expect(fixture.warnings.all.map(\.message).contains("the server can store again"))
        fixture.engine.close()
        try await server.stop()
    }

    /// A disk that fails cannot be had without privileges, so the server itself raises what it would say: 58030, as well
    /// as the states of a full disk and of damage where a write met them.
    @Test(arguments: [
        ("58030", "sql.io", StorageError.Code.unavailable), ("53100", "sql.full", .resourceExhausted),
        ("XX001", "sql.corrupt", .dataLoss), ("XX002", "sql.corrupt", .dataLoss),
    ])
    func whatTheServerSaysOfItsDiskIsSaid(_ state: String, _ reason: String, _ code: StorageError.Code) async throws {
        let fixture = try await EngineFixture()
        try await fixture.migrate("counter", entriesTable)
        try await fixture.server.sql(
            """
            CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN IF NEW.n < 0 THEN RAISE EXCEPTION ''the disk'' USING ERRCODE = NEW.id; END IF; RETURN NEW; END'
            """, in: fixture.database)
        try await fixture.server.sql(
            "CREATE TRIGGER fail BEFORE INSERT ON \(Self.table) FOR EACH ROW EXECUTE FUNCTION public.fail()",
            in: fixture.database)
        try await insert(fixture, "sound")
        #expect(try await fixture.engine.status().writable)
        let scope = try fixture.scope("counter")
        let failing = statement("INSERT INTO {entries} (id, tenant, n) VALUES (?1, :tenant, -1)", [SQLValue(state)])
        let error = await failure {
            try await fixture.engine.commit(.with { $0.statements = [failing] }, for: scope)
        }
        #expect(error?.reason == reason && error?.code == code && error?.effect == StorageError.Effect.none)
        #expect(error?.retry == (reason == "sql.corrupt" ? .never : .after(milliseconds: 1000)))
        let status = try await fixture.engine.status()
        #expect(!status.writable && status.reason.hasPrefix("\(reason): "))
        // Interactive ones tell alike.
        let transaction = try await fixture.engine.begin(for: scope)
        #expect(await failure { try await transaction.run(failing) }?.reason == reason)
        transaction.rollback()
        if reason == "sql.corrupt" { #expect(try await fixture.engine.verify().findings.isEmpty) }
        guard state != "XX002" else { return #expect(try await !fixture.engine.status().writable) }
        try await untilWritable(fixture)
    }

    @Test func aDamagedTableIsSaidUntilItIsVerified() async throws {
        let server = try await PostgreSQLServer.start()
        let fixture = try await EngineFixture(server: server)
        try await fixture.migrate("counter", entriesTable)
        try await insert(fixture, "a")
        try await server.damage(Self.table, in: fixture.database, with: 0xAA)
        let error = await failure { try await fixture.query("counter", "SELECT n FROM {entries} WHERE n = 1") }
        #expect(error?.reason == "sql.corrupt" && error?.code == .dataLoss)
        var status = try await fixture.engine.status()
        #expect(!status.writable && status.reason.hasPrefix("sql.corrupt: "))
        #expect(try await !fixture.engine.verify().findings.isEmpty)
        status = try await fixture.engine.status()
        #expect(!status.writable && status.reason.hasPrefix("sql.corrupt: "))
        // Restored, here by making it anew.
        try await server.sql("TRUNCATE \(Self.table)", in: fixture.database)
        #expect(try await !fixture.engine.status().writable)
        #expect(try await fixture.engine.verify().findings.isEmpty)
        #expect(try await fixture.engine.status().writable)
        try await insert(fixture, "b")
        fixture.engine.close()
        try await server.stop()
    }

    @Test func aDamagedIndexIsSaid() async throws {
        let server = try await PostgreSQLServer.start()
        let fixture = try await EngineFixture(server: server)
        try await fixture.migrate("counter", entriesTable)
        try await insert(fixture, "a")
        let index = try await server.sql(
            "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = '\(Self.table)'::regclass",
            in: fixture.database)
        try await server.damage(index, in: fixture.database, with: 0)
        let error = await failure { try await insert(fixture, "b") }
        #expect(error?.reason == "sql.corrupt" && error?.code == .dataLoss)
        _ = try await fixture.engine.verify()
        let status = try await fixture.engine.status()
        #expect(!status.writable && status.reason.hasPrefix("sql.corrupt: "))
        fixture.engine.close()
        try await server.stop()
    }
}
