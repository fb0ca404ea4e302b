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
    let shop: CallerScope

    init() async throws {
        fixture = try await EngineFixture()
        other = try await EngineFixture.open(fixture.server, fixture.database)
        shop = try fixture.scope("shop") { $0.queues = "render" }
    }

    private func job(_ kind: String, unique: String = "") -> JobsNewJob {
        .with {
            $0.queue = "render"
            $0.kind = kind
            $0.uniqueKey = unique
        }
    }

    private func lease(
        _ engine: Engine, _ worker: String, limit: UInt32 = 10, concurrency: UInt32 = 0, wait: UInt32 = 0
    ) async throws -> [JobsJob] {
        try await engine.lease(
            .with {
                $0.worker = worker
                $0.queues = [
                    .with {
                        $0.owner = "shop"
                        $0.queue = "render"
                        $0.limit = limit
                        $0.concurrency = concurrency
                    }
                ]
                $0.leaseMs = 30_000
                $0.waitMs = wait
            }, for: shop
        ).jobs
    }

    @Test func twoHostsNeverTakeTheSameJob() async throws {
        _ = try await fixture.engine.enqueue(.with { $0.jobs = (0..<300).map { job("k\($0)") } }, for: shop)
        let taken = try await withThrowingTaskGroup(of: [String].self) { group in
            for worker in 0..<8 {
                let engine = worker % 2 == 0 ? fixture.engine : other
                group.addTask {
                    var taken: [String] = []
                    while true {
                        let jobs = try await lease(engine, "w\(worker)", limit: 7)
                        if jobs.isEmpty { return taken }
                        taken += jobs.map(\.jobID)
                        let lost = try await engine.finish(
                            .with {
                                $0.outcomes = jobs.map { job in
                                    .with {
                                        $0.jobID = job.jobID
                                        $0.fencingToken = job.fencingToken
                                        $0.state = .done
                                    }
                                }
                            }
                        ).lost
                        #expect(lost.isEmpty)
                    }
                }
            }
            return try await group.reduce([], +)
        }
        #expect(taken.count == 300 && Set(taken).count == 300)
        other.close()
    }

    @Test func aBoundOverAllHostsHolds() async throws {
        _ = try await fixture.engine.enqueue(.with { $0.jobs = (0..<50).map { job("k\($0)") } }, for: shop)
        let running = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<8 {
                let engine = worker % 2 == 0 ? fixture.engine : other
                group.addTask { try await lease(engine, "w\(worker)", limit: 10, concurrency: 5).count }
            }
            return try await group.reduce(0, +)
        }
        #expect(running == 5)
        other.close()
    }

    @Test func aJobOfACommitWakesTheOtherHost() async throws {
        try await fixture.migrate("shop", entriesTable)
        async let waiting = lease(other, "w", wait: 20_000)
        let response = try await fixture.engine.commit(
            .with {
                $0.statements = [statement("INSERT INTO {entries} (id, tenant, n) VALUES ('a', :tenant, 1)")]
                $0.attachments.jobs = [job("a", unique: "u"), job("b", unique: "u")]
            }, for: shop)
        #expect(response.jobIds.count == 2 && response.jobIds[0] == response.jobIds[1])
        #expect(try await waiting.map(\.jobID) == [response.jobIds[0]])
        other.close()
    }

    @Test func aJobOfAnUnnamedQueueKeepsTheWriteBack() async throws {
        let stranger = try fixture.scope("shop")
        let error = await failure { try await fixture.engine.enqueue(.with { $0.jobs = [job("a")] }, for: stranger) }
        #expect(error?.reason == "jobs.unknown_queue")
        other.close()
    }

    @Test func schedulesFireOnce() async throws {
        let schedule = try await fixture.engine.putSchedule(
            .with {
                $0.name = "nightly"
                $0.cron = "0 3 * * *"
                $0.job = job("sweep")
            }, for: shop)
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
                            }, for: shop)
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
        try await fixture.engine.release(release, for: shop)
        let next = try await other.acquire(
            .with {
                $0.name = "sealer"
                $0.holder = "next"
                $0.ttlMs = 60_000
            }, for: shop)
        #expect(next.fencingToken > lease.fencingToken)
        let renew = LeaseRenewRequest.with {
            $0.name = "sealer"
            $0.holder = lease.holder
            $0.fencingToken = lease.fencingToken
            $0.ttlMs = 1000
        }
        #expect(await failure { try await fixture.engine.renew(renew, for: shop) }?.reason == "lease.lost")
        other.close()
    }
}
