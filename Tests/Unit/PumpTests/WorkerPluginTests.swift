// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import SQLite

/// A plugin with a queue: its jobs do as their kind says.
private struct Press: Plugin, JobsWorkerContract {
    static var operations: [Operation<Press>] { jobsWorkerOperations }

    static let manifest = ManifestSource.json(
        """
        {"manifest": 1, "name": "Press", "version": "1.0.0",
         "provides": [{"capability": "theatre.jobs.v1.Worker"}], "operations": ["theatre.jobs.v1.Worker/Run"],
         "needs": [{"feature": "press.storage", "capability": "theatre.sql.v1.Database"}],
         "calls": ["press.storage/Query", "press.storage/Commit"],
         "queues": [{"name": "render", "max_attempts": 3, "backoff_ms": 1000}]}
        """)

    let host: PluginHost

    init(_ host: PluginHost, _ configuration: NoConfiguration) throws { self.host = host }

    func run(_ request: JobsRunRequest, _ call: Call) async throws -> JobsRunResponse {
        switch request.job.kind {
        case "bad": throw PluginError(.invalidArgument, "press.bad", "Bad.")
        case "down": throw PluginError(.unavailable, "press.down", "Down.", retry: .safe)
        case "message":
            let message: HostFireRequest = try request.job.decode()
            return .with { $0.result = Data("\(message.name) of \(call.tenant)".utf8) }
        default: return .init()
        }
    }
}

/// Jobs as an author's unit tests see them.
struct WorkerPluginTests {
    let host = TestHost()

    init() async throws {
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("press.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        try await host.install(Press.self, manifest: Press.manifest, instance: "press")
    }

    private var database: Database {
        Database(host.scope(as: "press", tenant: "acme") { $0.queues = "render" }, feature: "press.storage")
    }

    @Test func aJobEnqueuedInATransactionRunsWithItsTenantOnceThatIsCommitted() async throws {
        try await database.write { tx in
            try tx.enqueue(
                JobsNewJob("render", kind: "message", payload: HostFireRequest.with { $0.name = "page" }))
        }
        struct Rollback: Error {}
        await #expect(throws: Rollback.self) {
            try await database.write { tx in
                tx.enqueue(JobsNewJob("render", kind: "lost"))
                throw Rollback()
            }
        }
        try await database.commit { $0.enqueue(JobsNewJob("render", kind: "plain")) }
        let runs = try await host.runJobs()
        #expect(runs.map(\.job.kind) == ["message", "plain"] && runs.allSatisfy { $0.state == .done })
        let client = JobsQueueClient(host.scope(as: "press"), feature: "theatre.jobs.v1.Queue@sqlite")
        let job = try await client.get(.with { $0.jobID = runs[0].job.jobID })
        #expect(job.result == Data("page of acme".utf8) && job.tenant == "acme")
        #expect(try await host.runJobs().isEmpty)
    }

    @Test func whatFailsIsRepeatedOrDead() async throws {
        try await database.commit { batch in
            batch.enqueue(JobsNewJob("render", kind: "bad"))
            batch.enqueue(JobsNewJob("render", kind: "down"))
            batch.enqueue(JobsNewJob("render", kind: "later", runAt: host.now + 3_600_000))
        }
        #expect(try await host.runJobs().map(\.state) == [.dead, .waiting])
        #expect(try await host.runJobs().isEmpty)
        host.advance(milliseconds: 1000)
        #expect(try await host.runJobs().map(\.state) == [.waiting])
        host.advance(milliseconds: 2000)
        let last = try await host.runJobs()
        #expect(last.map(\.state) == [.dead] && last.first?.job.attempts == 3 && last.first?.reason == "press.down")
        host.advance(milliseconds: 3_600_000)
        #expect(try await host.runJobs().map(\.job.kind) == ["later"])
    }

    @Test func aQueueThatTheManifestDoesNotNameIsRefused() async throws {
        do {
            try await database.commit { $0.enqueue(JobsNewJob("rendr", kind: "x")) }
            Issue.record("an unknown queue was filled")
        } catch let error as PluginError {
            #expect(error.reason == "jobs.unknown_queue")
        }
    }
}
