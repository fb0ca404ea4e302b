// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatreStorage

@testable import SQLite

/// An engine with a clock, and the caller `a` with its queue `work`.
final class JobFixture: Sendable {
    let fixture: EngineFixture
    let clock: EngineClock
    let scope: CallerScope

    var engine: Engine { fixture.engine }

    init() throws {
        let clock = EngineClock()
        self.clock = clock
        fixture = try EngineFixture(now: { clock.now })
        scope = try fixture.scope("a") { $0.queues = "work,more" }
    }

    func new(
        runAt: Int64 = 0, priority: Int32 = 0, key: String = ""
    ) -> JobsNewJob {
        .with {
            $0.queue = "work"
            $0.kind = "a.render"
            $0.payload = Data("x".utf8)
            $0.runAt = runAt
            $0.priority = priority
            $0.uniqueKey = key
        }
    }

    func enqueue(runAt: Int64 = 0, priority: Int32 = 0, key: String = "", tenant: String = "t1") async throws -> String
    {
        let scope = try fixture.scope("a", tenant: tenant) { $0.queues = "work,more" }
        let request = JobsEnqueueRequest.with { $0.jobs = [new(runAt: runAt, priority: priority, key: key)] }
        return try await engine.enqueue(request, for: scope).jobIds[0]
    }

    func enqueueMany(_ count: Int) async throws {
        _ = try await engine.enqueue(.with { $0.jobs = (0..<count).map { _ in new() } }, for: scope)
    }

    func request(limit: UInt32, worker: String = "w1", concurrency: UInt32 = 0, wait: UInt32 = 0) -> JobsLeaseRequest {
        .with {
            $0.worker = worker
            $0.leaseMs = 5000
            $0.waitMs = wait
            $0.queues = [
                .with {
                    $0.owner = "a"
                    $0.queue = "work"
                    $0.limit = limit
                    $0.concurrency = concurrency
                }
            ]
        }
    }

    func lease(limit: UInt32, worker: String = "w1", concurrency: UInt32 = 0) async throws -> JobsLeaseResponse {
        try await engine.lease(
            request(limit: limit, worker: worker, concurrency: concurrency), for: fixture.scope("host"))
    }

    func finish(
        _ job: JobsJob, _ state: JobsJobState, runAt: Int64 = 0, reason: String = "", forgive: Bool = false
    ) async throws -> JobsFinishResponse {
        let outcome = JobsJobOutcome.with {
            $0.jobID = job.jobID
            $0.fencingToken = job.fencingToken
            $0.state = state
            $0.runAt = runAt
            $0.reason = reason
            $0.forgive = forgive
        }
        return try await engine.finish(.with { $0.outcomes = [outcome] }, for: fixture.scope("host"))
    }

    func beat(_ job: JobsJob) async throws -> JobsHeartbeatResponse {
        let request = JobsHeartbeatRequest.with {
            $0.worker = job.worker
            $0.leaseMs = 5000
            $0.jobs = [
                .with {
                    $0.jobID = job.jobID
                    $0.fencingToken = job.fencingToken
                }
            ]
        }
        return try await engine.heartbeat(request, for: fixture.scope("host"))
    }

    func job(_ id: String) async throws -> JobsJob { try await engine.getJob(.with { $0.jobID = id }, for: scope) }
}
