// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

/// Two hosts on one server, the clock of one an hour ahead and of the other an hour behind: the server's decides who has
/// what.
struct ClockTests {
    let fixture: EngineFixture
    let ahead: Engine
    let behind: Engine
    let queue: RenderQueue

    init() async throws {
        fixture = try await EngineFixture()
        ahead = try await EngineFixture.open(fixture.server, fixture.database, clockAhead: 3_600_000)
        behind = try await EngineFixture.open(fixture.server, fixture.database, clockAhead: -3_600_000)
        queue = try RenderQueue(fixture)
    }

    private func close() {
        ahead.close()
        behind.close()
    }

    private func heartbeat(_ engine: Engine, _ job: JobsJob, lease: UInt32) async throws -> JobsHeartbeatResponse {
        try await engine.heartbeat(
            .with {
                $0.worker = job.worker
                $0.leaseMs = lease
                $0.jobs = [
                    .with {
                        $0.jobID = job.jobID
                        $0.fencingToken = job.fencingToken
                    }
                ]
            })
    }

    @Test func nobodyTakesAJobThatTheOtherHas() async throws {
        for (holder, other) in [(behind, ahead), (ahead, behind)] {
            try await queue.enqueue([RenderQueue.job("k")], on: holder)
            let job = try #require(try await queue.lease(holder, "holder").first)
            #expect(try await queue.lease(other, "other").isEmpty)
            #expect(try await heartbeat(holder, job, lease: 600_000).lost.isEmpty)
            #expect(try await queue.lease(other, "other").isEmpty)
            // What is bounded over all hosts is counted alike, and what is due is told alike.
            try await queue.enqueue([RenderQueue.job("k")], on: other)
            #expect(try await queue.lease(other, "other", concurrency: 1).isEmpty)
            let second = try #require(try await queue.lease(other, "other", concurrency: 2).first)
            #expect(second.jobID != job.jobID)
            for engine in [ahead, behind] {
                #expect(try await engine.jobStats().queues.first?.oldestDue == 0)
            }
            #expect(try await queue.finish([job], on: holder).isEmpty)
            #expect(try await queue.finish([second], on: other).isEmpty)
        }
        close()
    }

    /// Six workers, three with each clock: every job is taken once and every end of a run counts.
    @Test func noJobRunsTwiceAtATime() async throws {
        try await queue.enqueue((0..<200).map { RenderQueue.job("k\($0)") }, on: fixture.engine)
        let taken = try await queue.workOff([ahead, behind], workers: 6)
        #expect(taken.count == 200 && Set(taken).count == 200)
        close()
    }

    @Test func aJobOfAHostThatDiedMovesOnWhenItsLeaseEndsByTheServersClock() async throws {
        for (died, other) in [(behind, ahead), (ahead, behind)] {
            try await queue.enqueue([RenderQueue.job("k")], on: other)
            let begun = machineTime()
            let job = try #require(try await queue.lease(died, "died", lease: 1000).first)
            // Nothing is heard of it any more.
            let next = try #require(try await queue.lease(other, "other", wait: 30_000).first)
            #expect(next.jobID == job.jobID && next.fencingToken > job.fencingToken)
            #expect(machineTime() - begun >= 1000)
            #expect(try await heartbeat(died, job, lease: 1000).lost == [job.jobID])
            #expect(try await queue.finish([job], on: died) == [job.jobID])
            #expect(try await queue.finish([next], on: other).isEmpty)
        }
        close()
    }

    @Test func aHeartbeatMakesALeaseLongerFromNowOn() async throws {
        try await queue.enqueue([RenderQueue.job("k")], on: ahead)
        let job = try #require(try await queue.lease(behind, "holder", lease: 1000).first)
        #expect(try await heartbeat(behind, job, lease: 600_000).lost.isEmpty)
        #expect(try await queue.lease(ahead, "other", wait: 1500).isEmpty)
        close()
    }

    /// It reckons with it, so it must not think that it has a job for longer than it does.
    @Test func aHostIsToldTheEndOfItsLeaseByItsOwnClock() async throws {
        for (engine, offset) in [(ahead, Int64(3_600_000)), (behind, -3_600_000)] {
            try await queue.enqueue([RenderQueue.job("k")], on: engine)
            let before = machineTime() + offset
            let job = try #require(try await queue.lease(engine, "w").first)
            #expect(job.leaseUntil <= before + 600_000 + (machineTime() + offset - before))
            #expect(job.leaseUntil > before + 500_000)
        }
        close()
    }

    /// What is due is a matter of the host's clock, which a test may move.
    @Test func aJobsTimeIsByTheClockOfTheHostThatAsks() async throws {
        try await queue.enqueue([RenderQueue.job("later", runAt: machineTime() + 1_800_000)], on: behind)
        #expect(try await queue.lease(behind, "w").isEmpty)
        #expect(try await queue.lease(ahead, "w").map(\.kind) == ["later"])
        close()
    }

    @Test func oneHolderAtATimeAndTheHintSaysWhenItEnds() async throws {
        func acquire(_ engine: Engine, _ holder: String, _ ttl: UInt32) async throws -> LeaseLease {
            try await engine.acquire(
                .with {
                    $0.name = "sealer"
                    $0.holder = holder
                    $0.ttlMs = ttl
                }, for: queue.shop)
        }
        let lease = try await acquire(behind, "behind", 60_000)
        let taken = await failure { try await acquire(ahead, "ahead", 60_000) }
        #expect(taken?.reason == "lease.taken")
        guard case .after(let hint)? = taken?.retry else { throw try #require(taken) }
        #expect((1...60_000).contains(hint))
        #expect(try await ahead.getLease(.with { $0.name = "sealer" }, for: queue.shop).holder == "behind")
        _ = try await ahead.renew(
            .with {
                $0.name = "sealer"
                $0.holder = "behind"
                $0.fencingToken = lease.fencingToken
                $0.ttlMs = 100
            }, for: queue.shop)
        // It ends by the server's clock, whatever the hosts' say.
        var next: LeaseLease?
        let end = machineTime() + 60_000
        while next == nil, machineTime() < end {
            do { next = try await acquire(behind, "next", 60_000) } catch let error as StorageError {
                guard error.reason == "lease.taken" else { throw error }
            }
        }
        #expect(next.map { $0.fencingToken > lease.fencingToken } == true)
        #expect(await failure { try await acquire(ahead, "ahead", 60_000) }?.reason == "lease.taken")
        close()
    }
}
