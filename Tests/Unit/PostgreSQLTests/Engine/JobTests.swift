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

/// Jobs and leases of two hosts on one database.
struct JobTests {
    let fixture: EngineFixture
    let other: Engine
    let queue: RenderQueue

    init() async throws {
        fixture = try await EngineFixture()
        other = try await EngineFixture.open(fixture.server, fixture.database)
        queue = try RenderQueue(fixture)
    }

    @Test func twoHostsNeverTakeTheSameJob() async throws {
        try await queue.enqueue((0..<300).map { RenderQueue.job("k\($0)") }, on: fixture.engine)
        let taken = try await queue.workOff([fixture.engine, other], workers: 8)
        #expect(taken.count == 300 && Set(taken).count == 300)
        other.close()
    }

    @Test func aBoundOverAllHostsHolds() async throws {
        try await queue.enqueue((0..<50).map { RenderQueue.job("k\($0)") }, on: fixture.engine)
        let running = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<8 {
                let engine = worker % 2 == 0 ? fixture.engine : other
                group.addTask { try await queue.lease(engine, "w\(worker)", limit: 10, concurrency: 5).count }
            }
            return try await group.reduce(0, +)
        }
        #expect(running == 5)
        other.close()
    }

    @Test func aJobOfACommitWakesTheOtherHost() async throws {
        try await fixture.migrate("shop", entriesTable)
        async let waiting = queue.lease(other, "w", wait: 20_000)
        let response = try await fixture.engine.commit(
            .with {
                $0.statements = [statement("INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 1)")]
                $0.attachments.jobs = [RenderQueue.job("a", unique: "u"), RenderQueue.job("b", unique: "u")]
            }, for: queue.shop)
        #expect(response.jobIds.count == 2 && response.jobIds[0] == response.jobIds[1])
        #expect(try await waiting.map(\.jobID) == [response.jobIds[0]])
        other.close()
    }

    @Test func aJobOfAnUnnamedQueueKeepsTheWriteBack() async throws {
        let stranger = try fixture.scope("shop")
        let error = await failure {
            try await fixture.engine.enqueue(.with { $0.jobs = [RenderQueue.job("a")] }, for: stranger)
        }
        #expect(error?.reason == "jobs.unknown_queue")
        other.close()
    }

    @Test func schedulesFireOnce() async throws {
        let schedule = try await fixture.engine.putSchedule(
            .with {
                $0.name = "nightly"
                $0.cron = "0 3 * * *"
                $0.job = RenderQueue.job("sweep")
            }, for: queue.shop)
        let fire = JobsFireScheduleRequest.with {
            $0.owner = "shop"
            $0.name = "nightly"
            $0.revision = schedule.revision
            $0.times = [1_700_000_000_000]
            $0.nextAt = 1_700_086_400_000
        }
        async let first = fixture.engine.fireSchedule(fire)
        async let second = other.fireSchedule(fire)
        let fired = try await [first, second]
        #expect(fired.filter(\.fired).count == 1 && fired.flatMap(\.jobIds).count == 1)
        #expect(try await fixture.engine.jobStats().queues.map(\.waiting) == [1])
        other.close()
    }

    @Test func oneHolderAtATimeAndATokenThatGrows() async throws {
        let holders = try await withThrowingTaskGroup(of: LeaseLease?.self) { group in
            for holder in 0..<8 {
                let engine = holder % 2 == 0 ? fixture.engine : other
                group.addTask {
                    do {
                        return try await engine.acquire(
                            .with {
                                $0.name = "sealer"
                                $0.holder = "h\(holder)"
                                $0.ttlMs = 60_000
                            }, for: queue.shop)
                    } catch {
                        #expect((error as? StorageError)?.reason == "lease.taken")
                        return nil
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
        }
        #expect(holders.count == 1)
        let lease = try #require(holders.first)
        let release = LeaseReleaseRequest.with {
            $0.name = "sealer"
            $0.holder = lease.holder
            $0.fencingToken = lease.fencingToken
        }
        try await fixture.engine.release(release, for: queue.shop)
        let next = try await other.acquire(
            .with {
                $0.name = "sealer"
                $0.holder = "next"
                $0.ttlMs = 60_000
            }, for: queue.shop)
        #expect(next.fencingToken > lease.fencingToken)
        let renew = LeaseRenewRequest.with {
            $0.name = "sealer"
            $0.holder = lease.holder
            $0.fencingToken = lease.fencingToken
            $0.ttlMs = 1000
        }
        #expect(await failure { try await fixture.engine.renew(renew, for: queue.shop) }?.reason == "lease.lost")
        other.close()
    }
}
