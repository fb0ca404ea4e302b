// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

/// A server that goes away: crashed and started again, or replaced by its standby.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ServerFaultTests {
    /// What writers were told: ids acknowledged, and ids of which nobody knows.
    private struct Told: Sendable {
        var acknowledged: Set<String> = []
        var unknown: Set<String> = []
        var refusals: [String: Int] = [:]
    }

    private final class Progress: Sendable {
        let isDone = Atomic<Bool>(false)
        private let acknowledged = Atomic<Int>(0)
        private let (counts, counting) = AsyncStream<Int>.makeStream()

        func acknowledge() { counting.yield(acknowledged.add(1, ordering: .relaxed).newValue) }

        /// Waits until that many more are acknowledged.
        func more(_ count: Int) async {
            let goal = acknowledged.load(ordering: .relaxed) + count
            for await count in counts where count >= goal { return }
        }
    }

    /// Writers that go on until told to stop, repeating what is safe to repeat.
    private func load(_ fixture: EngineFixture, _ progress: Progress) async throws -> Told {
        try await withThrowingTaskGroup(of: Told.self) { group in
            for writer in 0..<6 {
                group.addTask {
                    var told = Told()
                    var round = 0
                    while !progress.isDone.load(ordering: .relaxed) {
                        round += 1
                        let id = "\(writer)-\(round)"
                        do {
                            try await write(fixture, id, isInteractive: writer == 0)
                            told.acknowledged.insert(id)
                            progress.acknowledge()
                        } catch let error as StorageError {
                            told.refusals[error.reason, default: 0] += 1
                            if error.effect == .unknown {
                                told.unknown.insert(id)
                            } else {
                                #expect(error.retry == .safe, "\(error)")
                            }
                        }
                    }
                    return told
                }
            }
            return try await group.reduce(into: Told()) { sum, part in
                sum.acknowledged.formUnion(part.acknowledged)
                sum.unknown.formUnion(part.unknown)
                sum.refusals.merge(part.refusals, uniquingKeysWith: +)
            }
        }
    }

    private func write(_ fixture: EngineFixture, _ id: String, isInteractive: Bool) async throws {
        let insert = statement(
            "INSERT INTO {entries} (id, tenant, n) VALUES (?1, :tenant, 1)", [SQLValue(id)], expect: 1)
        let attachments = SQLAttachments.with { $0.events = [event("counter.raised", id)] }
        let scope = try fixture.scope("counter")
        if isInteractive {
            let transaction = try await fixture.engine.begin(for: scope)
            defer { transaction.rollback() }
            _ = try await transaction.run(insert)
            _ = try await transaction.commit(attachments)
        } else {
            _ = try await fixture.engine.commit(
                .with {
                    $0.statements = [insert]
                    $0.attachments = attachments
                }, for: scope)
        }
    }

    /// Runs `fault` under load; everything acknowledged is there with its event, and nothing that was refused.
    private func survive(_ fixture: EngineFixture, _ fault: () async throws -> Void) async throws {
        try await fixture.migrate("counter", entriesTable)
        let progress = Progress()
        async let running = load(fixture, progress)
        await progress.more(50)
        try await fault()
        await progress.more(50)
        progress.isDone.store(true, ordering: .relaxed)
        let told = try await running
        let rows = Set(try await fixture.query("counter", "SELECT id FROM {entries}").map { $0[0].text })
        #expect(rows.isSuperset(of: told.acknowledged))
        #expect(rows.subtracting(told.acknowledged).isSubset(of: told.unknown))
        var events: Set<String> = []
        var place: Int64 = 0
        let host = try fixture.scope("host")
        // The log's end is known again a moment after its connection is.
        while events != rows {
            let read = try await fixture.engine.read(
                .with {
                    $0.after = place
                    $0.limit = 1000
                    $0.waitMs = 5000
                }, for: host)
            if read.events.isEmpty { break }
            for event in read.events { #expect(events.insert(event.aggregate).inserted) }
            place = read.head
        }
        #expect(events == rows)
    }

    @Test func aServerThatIsKilledAndStartedAgainLosesNothingAcknowledged() async throws {
        let server = try await PostgreSQLServer.start(.init(isDurable: true))
        let fixture = try await EngineFixture(server: server) { $0.pool.waitMilliseconds = 10_000 }
        try await survive(fixture) {
            try await server.kill()
            try await server.restart()
        }
        fixture.engine.close()
        try await server.stop()
    }

    @Test func aStandbyThatTakesOverHasEverythingAcknowledged() async throws {
        let server = try await PostgreSQLServer.start(.init(isDurable: true))
        let standby = try await server.makeStandby()
        let fixture = try await EngineFixture(server: server) {
            $0.server.addresses.append(ServerAddress(host: "127.0.0.1", port: standby.port))
            $0.pool.waitMilliseconds = 20_000
        }
        try await survive(fixture) {
            try await server.kill()
            try await standby.promote()
        }
        #expect(fixture.engine.pool.figures.open > 0)
        fixture.engine.close()
        try await standby.stop()
    }

    @Test func connectionsThatTheServerEndsAreReplaced() async throws {
        let fixture = try await EngineFixture()
        try await survive(fixture) {
            for _ in 0..<5 {
                try await fixture.server.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(fixture.database)'")
            }
        }
    }

    @Test func aServerThatIsNotThereIsSaidAndWaitedFor() async throws {
        let server = try await PostgreSQLServer.start()
        let fixture = try await EngineFixture(server: server) { $0.pool.waitMilliseconds = 300 }
        try await server.stop()
        let error = await failure { try await fixture.query("counter", "SELECT 1") }
        #expect(error?.code == .unavailable && error?.retry == .safe)
        let status = try await fixture.engine.status()
        #expect(!status.writable && !status.reason.isEmpty)
        try await server.restart()
        var rows: Int?
        while rows == nil {
            do { rows = try await fixture.query("counter", "SELECT 1").count } catch let error as StorageError {
                #expect(error.retry == .safe)
            }
        }
        #expect(rows == 1)
        #expect(try await fixture.engine.status().writable)
        fixture.engine.close()
        try await server.stop()
    }

    @Test func readsThatMayBeBehindGoToAReplica() async throws {
        let server = try await PostgreSQLServer.start()
        let standby = try await server.makeStandby(isSynchronous: false)
        let fixture = try await EngineFixture(server: server) {
            $0.replicas = [ServerAddress(host: "127.0.0.1", port: standby.port)]
        }
        try await fixture.migrate("counter", entriesTable)
        let scope = try fixture.scope("counter")
        func port(_ staleness: UInt32) async throws -> Int64 {
            try await fixture.engine.query(
                .with {
                    $0.statement = statement("SELECT inet_server_port()".engineSpecific)
                    $0.maxStalenessMs = staleness
                }, for: scope
            ).rows[0].values[0].integer
        }
        #expect(try await port(0) == Int64(server.port))
        var found: Int64 = 0
        // The replica is near enough once it has seen a beat of the primary.
        while found != Int64(standby.port) {
            found = try await port(5000)
            try await fixture.commit(
                "counter", "UPDATE {entries} SET n = n + 1 WHERE tenant = :tenant")
        }
        func failures() -> [String] {
            fixture.warnings.all.filter { $0.message.contains("replica") }.map { $0.fields["error.reason"] ?? "" }
        }
        // It may have been looked for before it had the database at all.
        let before = failures().count
        // Without its replica the primary answers, and that is said once.
        try await standby.stop()
        for _ in 0..<3 { #expect(try await port(5000) == Int64(server.port)) }
        #expect(failures().count == before + 1)
        #expect(["sql.connection_lost", "sql.unreachable"].contains(failures().last))
        // And again when it has answered in between.
        try await standby.restart()
        found = 0
        while found != Int64(standby.port) {
            found = try await port(5000)
            try await fixture.commit("counter", "UPDATE {entries} SET n = n + 1 WHERE tenant = :tenant")
        }
        try await standby.kill()
        #expect(try await port(5000) == Int64(server.port))
        #expect(failures().count == before + 2)
        fixture.engine.close()
        try await server.stop()
    }
}
