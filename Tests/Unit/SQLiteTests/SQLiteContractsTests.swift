// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import SQLite

/// The plugin's other contracts, through the seam and on a file that stays.
struct SQLiteContractsTests {
    let host = TestHost()
    let folder: String

    init() async throws {
        folder = FileManager.default.temporaryDirectory.path + "/theatre-sqlite-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": "\#(folder)/a.db"}"#)
        host.route("storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        host.route("care", to: "sqlite", capability: "theatre.sql.v1.Maintenance")
        host.route("queue", to: "sqlite", capability: "theatre.jobs.v1.Queue")
        host.route("leases", to: "sqlite", capability: "theatre.lease.v1.Leases")
    }

    private var database: Database { Database(host.scope { $0.queues = "work" }, feature: "storage") }

    private func fill() async throws {
        try await database.migrate([
            Migration(
                "001", "CREATE TABLE {notes} (tenant TEXT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (tenant, id));")
        ])
        try await database.commit { $0.run("INSERT INTO {notes} VALUES (:tenant, 1), (:tenant, 2)") }
    }

    private func count() async throws -> Int64 {
        try await database.read("/* tenants: all */ SELECT COUNT(*) AS n FROM {notes}")[0].int("n")
    }

    @Test func aBackupIsRestoredWhileTheInstanceStays() async throws {
        try await fill()
        let care = SQLMaintenanceClient(host.scope(), feature: "care")
        var last = SQLBackupProgress()
        for try await progress in try await care.backup(.with { $0.path = "\(folder)/b.db" }) { last = progress }
        #expect(last.done && !last.sha256.isEmpty)
        try await database.commit { $0.run("/* tenants: all */ DELETE FROM {notes}") }
        #expect(try await count() == 0)
        var restored = SQLBackupProgress()
        for try await progress in try await care.restore(.with { $0.path = "\(folder)/b.db" }) { restored = progress }
        #expect(restored.done && restored.sha256 == last.sha256)
        #expect(try await count() == 2)
        let kept = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            $0.contains(".before-restore-")
        }
        #expect(kept.count == 1)
        #expect(try await care.verify(SQLVerifyRequest()).findings.isEmpty)
        let status = try await care.status(SQLStatusRequest())
        #expect(status.writable && status.location == "\(folder)/a.db")
        try await database.commit { $0.run("INSERT INTO {notes} VALUES (:tenant, 3)") }
    }

    @Test func anotherWhoHasItOpenKeepsARestoreOut() async throws {
        try await fill()
        let care = SQLMaintenanceClient(host.scope(), feature: "care")
        for try await _ in try await care.backup(.with { $0.path = "\(folder)/b.db" }) {}
        let other = try Connection(path: "\(folder)/a.db", role: .reader)
        try other.execute("SELECT COUNT(*) FROM host__events")
        let error = await #expect(throws: PluginError.self) {
            for try await _ in try await care.restore(.with { $0.path = "\(folder)/b.db" }) {}
        }
        #expect(error?.reason == "sql.in_use")
        #expect(try await count() == 2, "it is open again")
        other.close()
    }

    @Test func snapshotsStreamsAndPreparedStatementsComeThroughTheSDK() async throws {
        try await fill()
        let client = SQLDatabaseClient(host.scope(), feature: "storage")
        let prepared = try await client.prepare(
            .with { $0.sql = "/* tenants: all */ SELECT id FROM {notes} WHERE id = ?1" })
        let rows = try await client.query(
            .with {
                $0.statement.statementID = prepared.statementID
                $0.statement.parameters = [.with { $0.integer = 2 }]
            })
        #expect(rows.rows.count == 1)
        var streamed: [Int64] = []
        let request = SQLQueryRequest.with {
            $0.statement.sql = "/* tenants: all */ SELECT id FROM {notes} ORDER BY id"
        }
        for try await piece in try await client.queryStream(request) {
            streamed += piece.rows.map { $0.values[0].integer }
        }
        #expect(streamed == [1, 2])
        let database = database
        let seen = try await database.read { tx in
            let before = try await tx.rows("/* tenants: all */ SELECT COUNT(*) AS n FROM {notes}")[0].int("n")
            try await database.commit { $0.run("INSERT INTO {notes} VALUES (:tenant, 9)") }
            return (before, try await tx.rows("/* tenants: all */ SELECT COUNT(*) AS n FROM {notes}")[0].int("n"))
        }
        #expect(seen == (2, 2))
        #expect(try await count() == 3)
    }

    @Test func jobsAndLeasesComeThroughTheSeam() async throws {
        let queue = JobsQueueClient(host.scope { $0.queues = "work" }, feature: "queue")
        let job = JobsNewJob.with {
            $0.queue = "work"
            $0.kind = "test.run"
        }
        let ids = try await queue.enqueue(.with { $0.jobs = [job] }).jobIds
        #expect(ids.count == 1 && ids[0].hasPrefix("job_"))
        let unknown = await #expect(throws: PluginError.self) {
            try await queue.enqueue(
                .with {
                    $0.jobs = [job]
                    $0.jobs[0].queue = "other"
                })
        }
        #expect(unknown?.reason == "jobs.unknown_queue")
        #expect(try await queue.get(.with { $0.jobID = ids[0] }).state == .waiting)
        let leases = LeaseLeasesClient(host.scope(), feature: "leases")
        let lease = try await leases.acquire(
            .with {
                $0.name = "leader"
                $0.holder = "h"
                $0.ttlMs = 1000
            })
        #expect(lease.fencingToken == 1)
    }
}
