// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import SQLite
@testable import Services

/// Two hosts on one database, with real pumps and the real storage plugin.
@Suite(.serialized) final class PumpTests {
    let host = TestHost()
    let clock: RunningClock
    let file = FileManager.default.temporaryDirectory.appending(path: "pumps-\(UUID().uuidString).db").path

    init() async throws {
        clock = RunningClock(host)
        for name in ["sqlite-a", "sqlite-b"] {
            try await host.install(
                SQLite.self, manifest: .plugin("Storage/SQLite"), instance: name,
                configuration: #"{"path": "\#(file)"}"#)
        }
    }

    deinit {
        clock.stop()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + suffix) }
    }

    private let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private func jobs(_ node: String, _ calls: StorageCalls) -> JobPump {
        JobPump(
            calls, storage: "storage", clock: clock.clock, worker: WorkerName(node: node, life: "1"), log: log,
            offload: SchedulePump.onThreadPool)
    }

    private func press(_ queues: String = "render") -> TestScope {
        host.scope(as: "press", tenant: "acme") { $0.queues = queues }
    }

    @Test(.timeLimit(.minutes(2))) func twoHostsRunEachJobToItsEndAndNeverTwiceAtATime() async throws {
        let calls = ["sqlite-a", "sqlite-b"].map { StorageCalls(host, storage: $0) }
        let active = Mutex<Set<String>>([])
        let overlaps = Mutex(0)
        let ends = Mutex<[String: Int]>([:])
        for call in calls {
            call.serve("press", JobQueue.operation) { (request: JobsRunRequest) -> JobsRunResponse in
                let job = request.job
                if !active.withLock({ $0.insert(job.jobID).inserted }) { overlaps.withLock { $0 += 1 } }
                await Task.yield()
                active.withLock { _ = $0.remove(job.jobID) }
                if job.attempts == 1, job.priority == 7 {
                    throw PluginError(.unavailable, "press.down", "Down.", retry: .safe)
                }
                ends.withLock { $0[job.jobID, default: 0] += 1 }
                return .init()
            }
        }
        let client = JobsQueueClient(press(), feature: "theatre.jobs.v1.Queue@sqlite-a")
        var ids: [String] = []
        for batch in 0..<4 {
            let request = JobsEnqueueRequest.with { request in
                request.jobs = (0..<250).map { number in
                    JobsNewJob("render", kind: "t", priority: number % 10 == 0 ? 7 : Int32(batch))
                }
            }
            ids += try await client.enqueue(request).jobIds
        }
        var queue = JobQueue(owner: "press", name: "render")
        queue.backoff = 50
        let pumps = zip(["a", "b"], calls).map { jobs($0, $1) }
        for pump in pumps { pump.serve([queue]) }
        let stats = JobsQueueClient(
            host.scope(HostContext(), as: "host"), feature: "theatre.jobs.v1.Queue@sqlite-b")
        try await until {
            let queue = try await stats.stats(.init()).queues.first
            return queue?.ended == 1000
        }
        #expect(overlaps.withLock { $0 } == 0)
        #expect(ends.withLock { $0.count } == 1000 && ends.withLock { $0.values.allSatisfy { $0 == 1 } })
        #expect(Set(ids) == Set(ends.withLock { $0.keys }))
        for pump in pumps { await withCheckedContinuation { done in pump.stop(drain: 1000) { done.resume() } } }
        #expect(host.violations.isEmpty)
    }

    /// Counted by the store when it is leased: nobody who dies with it need say so.
    @Test(.timeLimit(.minutes(1))) func aJobThatTakesEachOfItsHostsDownEndsDeadAndRunsNoMore() async throws {
        let calls = StorageCalls(host, storage: "sqlite-a")
        let runs = Mutex<[String]>([])
        calls.serve("press", JobQueue.operation) { (request: JobsRunRequest) -> JobsRunResponse in
            runs.withLock { $0.append(request.job.kind) }
            return .init()
        }
        let client = JobsQueueClient(press(), feature: "theatre.jobs.v1.Queue@sqlite-a")
        var poison = JobsNewJob("render", kind: "poison")
        poison.maxAttempts = 2
        let id = try await client.enqueue(.with { $0.jobs = [poison] }).jobIds[0]
        let store = JobsQueueClient(host.scope(HostContext(), as: "host"), feature: "theatre.jobs.v1.Queue@sqlite-b")
        for life in 1...2 {
            let request = JobsLeaseRequest.with {
                $0.worker = "killed/\(life)"
                $0.leaseMs = 1000
                $0.queues = [
                    .with {
                        $0.owner = "press"
                        $0.queue = "render"
                        $0.limit = 1
                    }
                ]
            }
            #expect(try await store.lease(request).jobs.map(\.attempts) == [UInt32(life)])
            host.advance(milliseconds: 2000)
        }
        _ = try await client.enqueue(.with { $0.jobs = [JobsNewJob("render", kind: "sound")] })
        let pump = jobs("a", calls)
        pump.serve([JobQueue(owner: "press", name: "render")])
        try await until { try await store.stats(.init()).queues.first.map { $0.dead == 1 && $0.ended == 1 } ?? false }
        let job = try await store.list(.with { $0.jobID = id }).jobs[0]
        #expect(job.state == .dead && job.reason == "jobs.lost")
        #expect(runs.withLock { $0 } == ["sound"])
        await withCheckedContinuation { done in pump.stop(drain: 1000) { done.resume() } }
    }

    @Test(.timeLimit(.minutes(1))) func schedulesFireOnceOverTwoHosts() async throws {
        let calls = ["sqlite-a", "sqlite-b"].map { StorageCalls(host, storage: $0) }
        let runs = Mutex<[Int64]>([])
        for call in calls {
            call.serve("press", JobQueue.operation) { (request: JobsRunRequest) -> JobsRunResponse in
                runs.withLock { $0.append(request.job.runAt) }
                return .init()
            }
        }
        let client = JobsQueueClient(press(), feature: "theatre.jobs.v1.Queue@sqlite-a")
        let schedule = JobsPutScheduleRequest.with {
            $0.name = "minutely"
            $0.cron = "* * * * *"
            $0.catchUp = .all
            $0.job = JobsNewJob("render", kind: "t")
        }
        _ = try await client.putSchedule(schedule)
        let pumps = zip(["a", "b"], calls).map { jobs($0, $1) }
        for pump in pumps { pump.serve([JobQueue(owner: "press", name: "render")]) }
        let start = host.now
        for _ in 0..<5 {
            host.advance(milliseconds: 60_000)
            for pump in pumps { pump.look() }
            let expected = (host.now - start) / 60_000
            try await until { runs.withLock { $0.count } >= Int(expected) }
        }
        for pump in pumps { await withCheckedContinuation { done in pump.stop(drain: 1000) { done.resume() } } }
        let times = runs.withLock { $0 }
        #expect(Set(times).count == times.count)
        #expect(times.count >= 5)
        #expect(await fault(client, "61 * * * *", "") == "jobs.bad_schedule")
        #expect(await fault(client, "* * * * *", "Mars/Olympus") == "jobs.bad_schedule")
    }

    private func fault(_ client: JobsQueueClient, _ cron: String, _ zone: String) async -> String {
        do {
            _ = try await client.putSchedule(
                .with {
                    $0.name = "bad"
                    $0.cron = cron
                    $0.timeZone = zone
                    $0.job = JobsNewJob("render", kind: "t")
                })
            return ""
        } catch {
            return (error as? PluginError)?.reason ?? "\(error)"
        }
    }

    @Test(.timeLimit(.minutes(1))) func eventsOfManyAggregatesComeInOrderToOneOfTwoHosts() async throws {
        let calls = ["sqlite-a", "sqlite-b"].map { StorageCalls(host, storage: $0) }
        let taken = Mutex<[String: [Int64]]>([:])
        for call in calls {
            call.serve("inbox", EventConsumer.operation) { (request: EventsDeliverRequest) -> EventsDeliverResponse in
                await Task.yield()
                if request.event.data == #"{"bad":true}"# { throw PluginError(.invalidArgument, "inbox.bad", "Bad.") }
                taken.withLock { $0[request.event.aggregate, default: []].append(request.event.offset) }
                return .init()
            }
        }
        let pumps = zip(["a", "b"], calls).map { node, calls in
            EventPump(calls, storage: "storage", clock: clock.clock, holder: node, log: log)
        }
        for pump in pumps { pump.serve([EventConsumer(instance: "inbox", types: ["note."])]) }
        let publisher = EventsLogClient(
            host.scope(as: "press", tenant: "acme") { $0.publishes = "note" }, feature: "theatre.events.v1.Log@sqlite-a"
        )
        for round in 0..<20 {
            _ = try await publisher.append(
                .with { request in
                    request.events = (0..<20).map { number in
                        .with {
                            $0.type = "note.written"
                            $0.aggregate = "note_\(number % 7)"
                            $0.data = round == 3 && number == 3 ? #"{"bad":true}"# : "{}"
                        }
                    }
                })
        }
        try await until { taken.withLock { $0.values.map(\.count).reduce(0, +) } == 399 }
        let consumers = EventsLogClient(
            host.scope(HostContext(), as: "host"), feature: "theatre.events.v1.Log@sqlite-b")
        try await until {
            let status = try await consumers.listConsumers(.init())
            return status.consumers.first.map { $0.offset == status.head && $0.deadLetters == 1 } ?? false
        }
        for offsets in taken.withLock({ $0.values }) { #expect(offsets == offsets.sorted()) }
        for pump in pumps { await withCheckedContinuation { done in pump.stop(drain: 1000) { done.resume() } } }
    }

    /// Asks again and again, a little later each time.
    private func until(_ condition: () async throws -> Bool) async throws {
        while try await !condition() {
            let clock = clock.clock
            await withCheckedContinuation { asked in _ = clock.wake(after: 5) { asked.resume() } }
        }
    }
}
