// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreStorage

@testable import SQLite

/// Queues on the engine.
struct JobTests {
    let fixture: JobFixture

    init() throws { fixture = try JobFixture() }

    @Test func theHighestPriorityComesFirstThenTheOldest() async throws {
        let low = try await fixture.enqueue(priority: -1)
        let first = try await fixture.enqueue(priority: 5)
        fixture.clock.advance(10)
        let second = try await fixture.enqueue(priority: 5)
        let later = try await fixture.enqueue(runAt: fixture.clock.now + 1000, priority: 100)
        let leased = try await fixture.lease(limit: 10)
        #expect(leased.jobs.map(\.jobID) == [first, second, low])
        #expect(leased.nextDue > fixture.clock.now)
        #expect(
            leased.jobs.allSatisfy {
                $0.state == .running && $0.attempts == 1 && $0.fencingToken == 1 && $0.worker == "w1"
            })
        #expect(try await fixture.lease(limit: 10).jobs.isEmpty)
        fixture.clock.advance(1001)
        #expect(try await fixture.lease(limit: 10).jobs.map(\.jobID) == [later])
    }

    @Test func aLeaseThatRanOutIsTakenByAnotherAndTheFirstIsTooLate() async throws {
        let id = try await fixture.enqueue()
        let first = try #require(try await fixture.lease(limit: 1).jobs.first)
        fixture.clock.advance(5001)
        let second = try #require(try await fixture.lease(limit: 1, worker: "w2").jobs.first)
        #expect(second.jobID == id && second.attempts == 2 && second.fencingToken == 2)
        #expect(try await fixture.finish(first, .done).lost == [id])
        #expect(try await fixture.beat(first).lost == [id])
        #expect(try await fixture.finish(second, .done).lost.isEmpty)
        #expect(try await fixture.finish(second, .done).lost == [id], "it has ended")
        let job = try await fixture.job(id)
        #expect(job.state == .done && job.endedAt == fixture.clock.now && job.worker.isEmpty)
    }

    @Test func aHeartbeatKeepsALeaseAndTellsOfCancellation() async throws {
        let id = try await fixture.enqueue()
        let job = try #require(try await fixture.lease(limit: 1).jobs.first)
        for _ in 0..<3 {
            fixture.clock.advance(4000)
            let beat = try await fixture.beat(job)
            #expect(beat.lost.isEmpty && beat.cancelled.isEmpty)
        }
        #expect(try await fixture.lease(limit: 1, worker: "w2").jobs.isEmpty)
        let cancelled = try await fixture.engine.cancelJob(.with { $0.jobID = id }, for: fixture.scope)
        #expect(cancelled.state == .running && cancelled.cancelRequested)
        #expect(try await fixture.beat(job).cancelled == [id])
        _ = try await fixture.finish(job, .waiting)
        #expect(try await fixture.job(id).state == .cancelled, "it does not go back")
        let again = await failure { try await fixture.engine.cancelJob(.with { $0.jobID = id }, for: fixture.scope) }
        #expect(again?.reason == "jobs.ended")
    }

    @Test func aRepeatedJobWaitsForItsTimeAndAForgivenRunDoesNotCount() async throws {
        let id = try await fixture.enqueue()
        let first = try #require(try await fixture.lease(limit: 1).jobs.first)
        _ = try await fixture.finish(first, .waiting, runAt: fixture.clock.now + 700, reason: "x.busy")
        #expect(try await fixture.lease(limit: 1).jobs.isEmpty)
        fixture.clock.advance(700)
        let second = try #require(try await fixture.lease(limit: 1).jobs.first)
        #expect(second.attempts == 2 && second.reason == "x.busy")
        _ = try await fixture.finish(second, .waiting, forgive: true)
        let third = try #require(try await fixture.lease(limit: 1).jobs.first)
        #expect(third.attempts == 2 && third.fencingToken == 3)
        _ = try await fixture.finish(third, .dead, reason: "x.broken")
        #expect(try await fixture.job(id).state == .dead)
    }

    @Test func aUniqueKeyIsTakenUntilItsJobHasEnded() async throws {
        let first = try await fixture.enqueue(key: "k")
        #expect(try await fixture.enqueue(key: "k") == first)
        let otherTenant = try await fixture.enqueue(key: "k", tenant: "t2")
        #expect(otherTenant != first)
        let leased = try await fixture.lease(limit: 10).jobs
        #expect(leased.count == 2)
        #expect(try await fixture.enqueue(key: "k") == first, "it still runs")
        for job in leased { _ = try await fixture.finish(job, .done) }
        #expect(try await fixture.enqueue(key: "k") != first)
    }

    @Test func aBoundOverAllHostsHolds() async throws {
        for _ in 0..<5 { _ = try await fixture.enqueue() }
        let first = try await fixture.lease(limit: 2, concurrency: 3)
        let second = try await fixture.lease(limit: 5, worker: "w2", concurrency: 3)
        #expect(first.jobs.count == 2 && second.jobs.count == 1)
        #expect(try await fixture.lease(limit: 5, worker: "w3", concurrency: 3).jobs.isEmpty)
        _ = try await fixture.finish(first.jobs[0], .done)
        #expect(try await fixture.lease(limit: 5, worker: "w3", concurrency: 3).jobs.count == 1)
        fixture.clock.advance(6000)
        #expect(
            try await fixture.lease(limit: 5, worker: "w3", concurrency: 3).jobs.count == 3, "lost leases do not count")
    }

    @Test func whoWaitsForAJobIsWokenByTheCommitThatStoresIt() async throws {
        let engine = fixture.engine
        let scope = try fixture.fixture.scope("host")
        async let waiting = engine.lease(fixture.request(limit: 1, wait: 30_000), for: scope)
        let commit = SQLCommitRequest.with { $0.attachments.jobs = [fixture.new()] }
        let committed = try await engine.commit(commit, for: fixture.scope)
        #expect(committed.jobIds.count == 1)
        #expect(try await waiting.jobs.map(\.jobID) == committed.jobIds)
    }

    @Test func aJobIsStoredWithItsTransactionOrNotAtAll() async throws {
        let engine = fixture.engine
        let transaction = try await engine.begin(for: fixture.scope)
        let committed = try await transaction.commit(.with { $0.jobs = [fixture.new()] })
        #expect(try await fixture.job(committed.jobIds[0]).state == .waiting)
        let event = EventsNewEvent.with { $0.type = "no" }
        let refused = await failure {
            try await engine.commit(
                .with {
                    $0.attachments.jobs = [fixture.new()]
                    $0.attachments.events = [event]
                }, for: fixture.scope)
        }
        #expect(refused?.reason == "sql.event")
        #expect(try await fixture.lease(limit: 10).jobs.count == 1)
    }

    @Test func whatNobodyMayEnqueueIsRefused() async throws {
        let cases: [(String, (inout JobsNewJob) -> Void)] = [
            ("jobs.unknown_queue", { $0.queue = "other" }), ("jobs.bad_request", { $0.queue = "" }),
            ("jobs.bad_request", { $0.kind = "" }), ("jobs.bad_request", { $0.priority = 101 }),
            ("jobs.bad_request", { $0.payload = Data(count: 262_145) }), ("jobs.bad_request", { $0.runAt = -1 }),
        ]
        for (reason, change) in cases {
            var job = fixture.new()
            change(&job)
            let request = JobsEnqueueRequest.with { $0.jobs = [fixture.new(), job] }
            let error = await failure { try await fixture.engine.enqueue(request, for: fixture.scope) }
            #expect(error?.reason == reason && error?.detail.hasPrefix("/jobs/1/") == true)
        }
        #expect(try await fixture.lease(limit: 10).jobs.isEmpty)
        let other = try fixture.fixture.scope("b")
        let id = try await fixture.enqueue()
        let unknown = await failure { try await fixture.engine.getJob(.with { $0.jobID = id }, for: other) }
        #expect(unknown?.reason == "jobs.unknown")
    }

    @Test func theOperatorListsCountsRepeatsAndRemoves() async throws {
        let ids = [try await fixture.enqueue(), try await fixture.enqueue(), try await fixture.enqueue()]
        let jobs = try await fixture.lease(limit: 2).jobs
        _ = try await fixture.finish(jobs[0], .dead, reason: "x")
        let engine = fixture.engine
        let host = try fixture.fixture.scope("host")
        var stats = try await engine.jobStats(for: host).queues
        #expect(stats.count == 1 && stats[0].waiting == 1 && stats[0].running == 1 && stats[0].dead == 1)
        #expect(stats[0].oldestDue > 0)
        let page = try await engine.listJobs(.with { $0.limit = 2 }, for: host).jobs.map(\.jobID)
        #expect(page == Array(ids.sorted().reversed().prefix(2)))
        let rest = try await engine.listJobs(.with { $0.before = page[1] }, for: host).jobs.map(\.jobID)
        #expect(rest == [ids.sorted()[0]])
        #expect(try await engine.listJobs(.with { $0.state = .dead }, for: host).jobs.map(\.jobID) == [jobs[0].jobID])
        let retried = try await engine.control(
            .with {
                $0.action = .retry
                $0.state = .dead
            }, for: host)
        #expect(retried.changed == 1)
        #expect(try await fixture.job(jobs[0].jobID).attempts == 0)
        #expect(try await engine.control(.with { $0.action = .cancel }, for: host).changed == 3)
        stats = try await engine.jobStats(for: host).queues
        #expect(stats[0].ended == 2 && stats[0].running == 1)
        #expect(try await engine.control(.with { $0.action = .remove }, for: host).changed == 2)
        let bad = await failure { try await engine.control(JobsControlRequest(), for: host) }
        #expect(bad?.reason == "jobs.bad_request")
    }

    @Test func manyWorkersNeverGetTheSameJob() async throws {
        for _ in 0..<10 { try await fixture.enqueueMany(20) }
        let fixture = fixture
        let leased = try await withThrowingTaskGroup(of: [String].self) { group in
            for worker in 0..<8 {
                group.addTask {
                    var mine: [String] = []
                    while true {
                        let jobs = try await fixture.lease(limit: 7, worker: "w\(worker)").jobs
                        if jobs.isEmpty { return mine }
                        mine += jobs.map(\.jobID)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(leased.count == 200 && Set(leased).count == 200)
    }
}
