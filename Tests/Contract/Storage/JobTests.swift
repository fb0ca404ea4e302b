// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// Queues: what is promised is kept, leased to one at a time, on every engine.
@Suite(.closing) struct JobTests {
    let worker = "w1"

    private func queue(_ storage: Storage) -> JobsQueueClient { JobsQueueClient(storage.jobScope, feature: "queue") }

    private func asHost(_ storage: Storage) -> JobsQueueClient {
        JobsQueueClient(storage.host.scope(as: "host"), feature: "queue")
    }

    private func lease(
        _ storage: Storage, limit: UInt32 = 10, worker: String = "w1", leaseMs: UInt32 = 30_000,
        concurrency: UInt32 = 0, waitMs: UInt32 = 0
    ) async throws -> [JobsJob] {
        try await asHost(storage).lease(
            .with {
                $0.worker = worker
                $0.leaseMs = leaseMs
                $0.waitMs = waitMs
                $0.queues = [
                    .with {
                        $0.owner = "notes"
                        $0.queue = "render"
                        $0.limit = limit
                        $0.concurrency = concurrency
                    }
                ]
            }
        ).jobs
    }

    private func enqueue(_ storage: Storage, _ edits: ((inout JobsNewJob) -> Void)...) async throws -> [String] {
        try await queue(storage).enqueue(
            .with {
                $0.jobs = edits.map { edit in
                    var job = JobsNewJob.with {
                        $0.queue = "render"
                        $0.kind = "notes.render"
                    }
                    edit(&job)
                    return job
                }
            }
        ).jobIds
    }

    private func finish(
        _ storage: Storage, _ job: JobsJob, _ state: JobsJobState = .done,
        _ edit: (inout JobsJobOutcome) -> Void = { _ in }
    ) async throws -> [String] {
        var outcome = JobsJobOutcome.with {
            $0.jobID = job.jobID
            $0.fencingToken = job.fencingToken
            $0.state = state
        }
        edit(&outcome)
        return try await asHost(storage).finish(.with { $0.outcomes = [outcome] }).lost
    }

    @Test(arguments: Engine.allCases)
    func jobsComeWithTheirChangeOrNotAtAll(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        let client = SQLDatabaseClient(storage.jobScope, feature: "storage")
        let job = JobsNewJob.with {
            $0.queue = "render"
            $0.kind = "notes.render"
            $0.payload = Data([1, 2])
        }
        func request(_ expect: UInt32) -> SQLCommitRequest {
            .with {
                $0.statements = [SQLStatement("UPDATE {accounts} SET amount = 1", expect: expect, values: [])]
                $0.attachments.jobs = [job]
            }
        }
        await #expect(throws: PluginError.self) { try await client.commit(request(1)) }
        #expect(try await lease(storage).isEmpty)
        let ids = try await client.commit(request(0)).jobIds
        let leased = try await lease(storage)
        #expect(leased.map(\.jobID) == ids && ids.count == 1 && ids[0].hasPrefix("job_"))
        #expect(leased[0].payload == Data([1, 2]) && leased[0].tenant == "t1" && leased[0].attempts == 1)
        #expect(leased[0].state == .running && leased[0].fencingToken > 0)
    }

    @Test(arguments: Engine.allCases)
    func onlyNamedQueuesAreFilled(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let error = await #expect(throws: PluginError.self) { try await enqueue(storage) { $0.queue = "other" } }
        #expect(error?.reason == "jobs.unknown_queue")
    }

    @Test(arguments: Engine.allCases)
    func priorityThenAgeDecides(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let ids = try await enqueue(
            storage, { $0.kind = "a" }, { $0.kind = "b" },
            {
                $0.priority = 5; $0.kind = "c"
            },
            {
                $0.priority = -5; $0.kind = "d"
            })
        #expect(ids.count == 4)
        #expect(try await lease(storage, limit: 2).map(\.kind).sorted() == ["a", "c"])
        #expect(try await lease(storage).map(\.kind).sorted() == ["b", "d"])
    }

    @Test(arguments: Engine.allCases)
    func aJobWaitsForItsTime(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let at = storage.host.now + 60_000
        _ = try await enqueue(storage) { $0.runAt = at }
        #expect(try await lease(storage).isEmpty)
        storage.host.advance(milliseconds: 60_001)
        #expect(try await lease(storage).count == 1)
    }

    @Test(arguments: Engine.allCases)
    func aWaitingWorkerIsWoken(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        async let waiting = lease(storage, waitMs: 20_000)
        _ = try await enqueue(storage) { _ in }
        #expect(try await waiting.count == 1)
    }

    @Test(arguments: Engine.allCases)
    func aUniqueKeyIsTakenUntilItsJobEnds(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let first = try await enqueue(storage) { $0.uniqueKey = "k" }
        #expect(try await enqueue(storage) { $0.uniqueKey = "k" } == first)
        #expect(try await enqueue(storage, { $0.uniqueKey = "l" }, { $0.uniqueKey = "l" }).count == 2)
        let leased = try await lease(storage)
        #expect(leased.count == 2)
        #expect(try await enqueue(storage) { $0.uniqueKey = "k" } == first)
        for job in leased { #expect(try await finish(storage, job) == []) }
        #expect(try await enqueue(storage) { $0.uniqueKey = "k" } != first)
    }

    @Test(arguments: Engine.allCases)
    func aLeaseThatRanOutGoesToAnotherAndTheFirstIsFenced(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        _ = try await enqueue(storage) { _ in }
        let first = try #require(try await lease(storage, leaseMs: 1000).first)
        #expect(try await lease(storage, worker: "w2").isEmpty)
        // The host's clock decides where the database has none of its own.
        storage.host.advance(milliseconds: 1001)
        let second = try #require(try await lease(storage, worker: "w2", waitMs: 30_000).first)
        #expect(second.jobID == first.jobID && second.fencingToken > first.fencingToken && second.attempts == 2)
        #expect(try await finish(storage, first) == [first.jobID])
        let beat = try await asHost(storage).heartbeat(
            .with {
                $0.worker = "w1"
                $0.leaseMs = 1000
                $0.jobs = [
                    .with {
                        $0.jobID = first.jobID; $0.fencingToken = first.fencingToken
                    }
                ]
            })
        #expect(beat.lost == [first.jobID])
        #expect(try await finish(storage, second) == [])
        #expect(try await queue(storage).get(.with { $0.jobID = first.jobID }).state == .done)
    }

    @Test(arguments: Engine.allCases)
    func aHeartbeatKeepsTheLease(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        _ = try await enqueue(storage) { _ in }
        // By the server's own clock a second may pass between two calls of a slow machine.
        let leaseMs: UInt32 = engine == .sqlite ? 1000 : 600_000
        let job = try #require(try await lease(storage, leaseMs: leaseMs).first)
        for _ in 0..<5 {
            storage.host.advance(milliseconds: 800)
            let beat = try await asHost(storage).heartbeat(
                .with {
                    $0.worker = "w1"
                    $0.leaseMs = leaseMs
                    $0.jobs = [
                        .with {
                            $0.jobID = job.jobID; $0.fencingToken = job.fencingToken
                        }
                    ]
                })
            #expect(beat.lost.isEmpty && beat.cancelled.isEmpty)
            #expect(try await lease(storage, worker: "w2").isEmpty)
        }
    }

    @Test(arguments: Engine.allCases)
    func aFailedRunComesAgainAtItsTime(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        _ = try await enqueue(storage) { _ in }
        let job = try #require(try await lease(storage).first)
        let at = storage.host.now + 5000
        #expect(
            try await finish(storage, job, .waiting) {
                $0.runAt = at
                $0.reason = "x.y"
                $0.message = "No."
            } == [])
        #expect(try await lease(storage).isEmpty)
        storage.host.advance(milliseconds: 5001)
        let again = try #require(try await lease(storage).first)
        #expect(again.attempts == 2 && again.reason == "x.y")
        #expect(try await finish(storage, again, .waiting) { $0.forgive = true } == [])
        #expect(try await lease(storage).first?.attempts == 2)
    }

    @Test(arguments: Engine.allCases)
    func aQueueRunsNoMoreThanItsBoundOverAllWorkers(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        for _ in 0..<10 { _ = try await enqueue(storage) { _ in } }
        let jobs = try await withThrowingTaskGroup(of: [JobsJob].self) { group in
            for worker in 0..<6 {
                group.addTask { try await lease(storage, limit: 2, worker: "w\(worker)", concurrency: 3) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(jobs.count == 3 && Set(jobs.map(\.jobID)).count == 3)
    }

    @Test(arguments: Engine.allCases)
    func manyWorkersShareWithoutOverlap(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        for _ in 0..<4 {
            _ = try await queue(storage).enqueue(
                .with {
                    $0.jobs = (0..<100).map { index in
                        .with {
                            $0.queue = "render"
                            $0.kind = "k\(index)"
                        }
                    }
                })
        }
        let all = try await withThrowingTaskGroup(of: [String].self) { group in
            for worker in 0..<6 {
                group.addTask {
                    var mine: [String] = []
                    while true {
                        let jobs = try await lease(storage, limit: 9, worker: "w\(worker)")
                        if jobs.isEmpty { return mine }
                        mine += jobs.map(\.jobID)
                        for job in jobs { _ = try await finish(storage, job) }
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(all.count == 400 && Set(all).count == 400)
        let stats = try await asHost(storage).stats(.init()).queues
        #expect(stats.first?.ended == 400 && stats.first?.waiting == 0 && stats.first?.running == 0)
    }

    @Test(arguments: Engine.allCases)
    func cancellingEndsWhatWaitsAndAsksWhatRuns(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let waiting = try await enqueue(storage) { $0.runAt = storage.host.now + 1_000_000 }[0]
        #expect(try await queue(storage).cancel(.with { $0.jobID = waiting }).state == .cancelled)
        let running = try await enqueue(storage) { _ in }[0]
        let job = try #require(try await lease(storage).first)
        let asked = try await queue(storage).cancel(.with { $0.jobID = running })
        #expect(asked.state == .running && asked.cancelRequested)
        let beat = try await asHost(storage).heartbeat(
            .with {
                $0.worker = "w1"
                $0.leaseMs = 1000
                $0.jobs = [
                    .with {
                        $0.jobID = job.jobID; $0.fencingToken = job.fencingToken
                    }
                ]
            })
        #expect(beat.cancelled == [running])
        #expect(try await finish(storage, job, .cancelled) == [])
        let ended = await #expect(throws: PluginError.self) {
            try await queue(storage).cancel(.with { $0.jobID = running })
        }
        #expect(ended?.reason == "jobs.ended")
        let foreign = await #expect(throws: PluginError.self) {
            try await JobsQueueClient(storage.scope(as: "other"), feature: "queue").get(.with { $0.jobID = running })
        }
        #expect(foreign?.reason == "jobs.unknown")
    }

    @Test(arguments: Engine.allCases)
    func anOperatorRetriesAndRemoves(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        _ = try await enqueue(storage) { _ in }
        let job = try #require(try await lease(storage).first)
        #expect(try await finish(storage, job, .dead) { $0.reason = "x.poison" } == [])
        let host = asHost(storage)
        #expect(try await host.list(.with { $0.state = .dead }).jobs.map(\.jobID) == [job.jobID])
        #expect(
            try await host.control(
                .with {
                    $0.action = .retry; $0.jobIds = [job.jobID]
                }
            ).changed == 1)
        let again = try #require(try await lease(storage).first)
        #expect(again.jobID == job.jobID && again.attempts == 1 && again.fencingToken > job.fencingToken)
        #expect(try await finish(storage, again) == [])
        #expect(
            try await host.control(
                .with {
                    $0.action = .remove; $0.state = .done
                }
            ).changed == 1)
        #expect(try await host.list(.init()).jobs.isEmpty)
    }

    @Test(arguments: Engine.allCases)
    func aScheduleFiresOncePerTime(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        func put(_ cron: String) async throws -> JobsSchedule {
            try await queue(storage).putSchedule(
                .with {
                    $0.name = "nightly"
                    $0.cron = cron
                    $0.timeZone = "Asia/Shanghai"
                    $0.job.queue = "render"
                    $0.job.kind = "notes.nightly"
                })
        }
        let bad = await #expect(throws: PluginError.self) { try await put("61 * * * *") }
        #expect(bad?.reason == "jobs.bad_schedule")
        #expect(try await put("0 3 * * *").nextAt == 0)
        let host = asHost(storage)
        let due = try await host.dueSchedules(.with { $0.now = storage.host.now }).schedules
        let schedule = try #require(due.first)
        let now = storage.host.now
        func fire() async throws -> JobsFireScheduleResponse {
            try await host.fireSchedule(
                .with {
                    $0.owner = "notes"
                    $0.name = "nightly"
                    $0.revision = schedule.revision
                    $0.times = [now]
                    $0.nextAt = now + 86_400_000
                })
        }
        let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<6 { group.addTask { try await fire().fired } }
            return try await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(answers.count { $0 } == 1)
        let jobs = try await lease(storage)
        #expect(jobs.count == 1 && jobs.first?.schedule == "nightly" && jobs.first?.tenant == "t1")
        #expect(try await host.dueSchedules(.with { $0.now = now }).schedules.isEmpty)
        #expect(try await host.dueSchedules(.with { $0.now = now }).nextAt == now + 86_400_000)
        _ = try await queue(storage).deleteSchedule(.with { $0.name = "nightly" })
        #expect(try await host.stats(.init()).schedules.isEmpty)
    }
}

extension Storage {
    /// A call of an instance that has the queue `render`.
    fileprivate var jobScope: some CallScope { scope { $0.queues = "render" } }
}
