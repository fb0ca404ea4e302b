// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

private final class Bench: Sendable {
    let calls = FakeCalls()
    let clock = ManualClock(at: 1_767_225_600_000)
    let store: FakeQueue
    /// Jobs that run, by id, with what ends them.
    let running = Mutex<[String: FakeCalls.Then]>([:])
    let begun = Mutex<[String]>([])
    let contexts = Mutex<[HostContext]>([])
    /// Nobody lets go of a host that is killed.
    private let pumps = Mutex<[JobPump]>([])

    init() { store = FakeQueue(calls, clock) }

    static func queue(_ fill: (inout JobQueue) -> Void = { _ in }) -> JobQueue {
        var queue = JobQueue(owner: "press", name: "render")
        fill(&queue)
        return queue
    }

    func pump(_ node: String = "node", life: String = "1") -> JobPump {
        let pump = JobPump(
            calls, storage: "sqlite", clock: clock, worker: WorkerName(node: node, life: life),
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), offload: { $0() })
        pumps.withLock { $0.append(pump) }
        return pump
    }

    /// Runs that end when the test says so.
    func hold() {
        calls.handle("press", "theatre.jobs.v1.Worker/Run") { [self] call, then in
            guard let request = try? JobsRunRequest(serializedBytes: call.payload) else { return }
            begun.withLock { $0.append("\(request.job.jobID)#\(call.attempt)") }
            contexts.withLock { $0.append(call.context.message) }
            running.withLock { $0[request.job.jobID] = then }
        }
    }

    func end(_ id: String, _ result: Result<JobsRunResponse, CallError> = .success(.init())) {
        guard let then = running.withLock({ $0.removeValue(forKey: id) }) else { return }
        then(result.map { (try? $0.serializedBytes()) ?? [] })
    }

    /// Runs that end at once.
    func run(_ body: @escaping @Sendable (JobsJob) throws -> JobsRunResponse = { _ in .init() }) {
        calls.serve("press", "theatre.jobs.v1.Worker/Run") { [self] (request: JobsRunRequest, call) in
            begun.withLock { $0.append("\(request.job.jobID)#\(call.attempt)") }
            return try body(request.job)
        }
    }

    /// Lets time pass in small steps; what is due is leased.
    func pass(_ milliseconds: Int64, step: Int64 = 250) {
        var left = milliseconds
        while left > 0 {
            clock.advance(min(step, left))
            store.serve()
            left -= step
        }
    }
}

@Suite struct JobPumpTests {
    @Test func aJobRunsAsTheSystemOnBehalfOfItsTenantAndIsDone() {
        let bench = Bench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([Bench.queue()])
        let id = bench.store.enqueue { $0.traceparent = "00-aa-bb-01" }
        #expect(bench.begun.withLock { $0 } == ["\(id)#1"])
        let context = bench.contexts.withLock { $0[0] }
        #expect(context.tenant == "acme" && context.traceparent == "00-aa-bb-01")
        #expect(context.principalKind == .system)
        bench.end(id, .success(.with { $0.result = Data([1, 2]) }))
        #expect(bench.store.job(id)?.state == .done)
        #expect(bench.store.job(id)?.result == Data([1, 2]))
    }

    @Test func noMoreRunAtOnceThanTheQueueAllows() {
        let bench = Bench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([Bench.queue { $0.concurrency = 3 }])
        for _ in 0..<10 { bench.store.enqueue() }
        #expect(bench.running.withLock { $0.count } == 3)
        for number in 1...10 {
            bench.end("job_\(number)")
            #expect(bench.running.withLock { $0.count } <= 3)
        }
        #expect(bench.store.states == Array(repeating: .done, count: 10))
    }

    @Test func anErrorWorthItIsRepeatedWithFullJitterUntilTheJobIsDead() {
        let bench = Bench()
        bench.run { _ in throw CallError(.unavailable, "press.down", "Down.", retry: .safe) }
        let pump = bench.pump()
        pump.serve([Bench.queue { $0.maxAttempts = 4 }])
        let id = bench.store.enqueue()
        let job = bench.store.job(id)
        #expect(job?.state == .waiting && job?.attempts == 1 && job?.reason == "press.down")
        #expect((0...1000).contains((job?.runAt ?? -1) - bench.clock.wall))
        bench.pass(10_000)
        #expect(bench.begun.withLock { $0 } == (1...4).map { "\(id)#\($0)" })
        #expect(bench.store.job(id)?.state == .dead)
    }

    /// An error, what becomes of the job, the bounds of its wait, and whether the attempt is forgiven.
    static let verdicts: [(CallError, JobsJobState, Int64, Int64, Bool)] = [
        (CallError(.invalidArgument, "press.bad", "Bad."), .dead, 0, 0, false),
        (CallError(.internal, "press.bug", "Bug."), .dead, 0, 0, false),
        (CallError(.unavailable, "press.down", "Down.", retry: .safe), .waiting, 0, 1000, false),
        (CallError(.resourceExhausted, "x", "Y.", retry: .after(milliseconds: 9000)), .waiting, 9000, 9000, false),
        (CallError(.deadlineExceeded, "call.deadline", "Late.", effect: .unknown), .waiting, 0, 1000, false),
        (CallError(.unavailable, "sql.connection_lost", "Gone.", effect: .unknown), .waiting, 0, 1000, false),
        (CallError(.resourceExhausted, "instance.busy", "Busy.", retry: .safe), .waiting, 250, 1000, true),
        (CallError(.unavailable, "instance.retired", "Retired.", retry: .safe), .waiting, 250, 1000, true),
    ]

    @Test(arguments: verdicts)
    func theErrorDecides(
        _ error: CallError, _ state: JobsJobState, _ from: Int64, _ to: Int64, _ isForgiven: Bool
    ) {
        var random = SystemRandomNumberGenerator()
        let verdict = JobVerdict(queue: Bench.queue())
        for _ in 0..<50 {
            let job = JobsJob.with { $0.attempts = 1 }
            let outcome = verdict.outcome(of: job, .failure(error), now: 5000, &random)
            #expect(outcome.state == state && outcome.forgive == isForgiven && outcome.reason == error.reason)
            if state == .waiting { #expect((5000 + from...5000 + to).contains(outcome.runAt)) }
        }
    }

    @Test func theWaitsDoubleToTheirBound() {
        var random = SystemRandomNumberGenerator()
        let verdict = JobVerdict(
            queue: Bench.queue {
                $0.maxAttempts = 1000
                $0.backoffMax = 8000
            })
        let error = CallError(.unavailable, "press.down", "Down.", retry: .safe)
        for (attempt, bound) in [(1, 1000), (2, 2000), (3, 4000), (4, 8000), (5, 8000), (900, 8000)] {
            let waits = (0..<200).map { _ in
                verdict.outcome(of: .with { $0.attempts = UInt32(attempt) }, .failure(error), now: 0, &random).runAt
            }
            #expect(waits.allSatisfy { (0...Int64(bound)).contains($0) })
            #expect((waits.max() ?? 0) > Int64(bound / 2) && (waits.min() ?? 0) < Int64(bound / 2))
        }
    }

    @Test func heartbeatsKeepALeaseThatALongRunNeeds() {
        let bench = Bench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([Bench.queue { $0.lease = 9000 }])
        let id = bench.store.enqueue()
        bench.pass(60_000)
        #expect(bench.begun.withLock { $0.count } == 1)
        #expect(bench.store.calls("Heartbeat") >= 19)
        bench.end(id)
        #expect(bench.store.job(id)?.state == .done)
        let beats = bench.store.calls("Heartbeat")
        bench.pass(30_000)
        #expect(bench.store.calls("Heartbeat") <= beats + 1)
    }

    @Test func aLostLeaseCancelsTheRunAndItsOutcomeCountsForNothing() {
        let bench = Bench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([Bench.queue { $0.lease = 9000 }])
        let id = bench.store.enqueue()
        bench.store.fail("Heartbeat", 100)
        let finishes = bench.store.calls("Finish")
        // The run is cancelled at the tick after the lease ran out, and the job is leased anew by then.
        bench.pass(12_000)
        #expect(bench.store.calls("Finish") == finishes)
        #expect(bench.begun.withLock { $0 } == ["\(id)#1", "\(id)#2"])
        bench.end(id)
        #expect(bench.store.job(id)?.state == .done)
        #expect(bench.store.state.withLock { $0.refused } == 0)
    }

    @Test func aCancelledJobIsStoppedAtTheNextHeartbeat() {
        let bench = Bench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([Bench.queue()])
        let first = bench.store.enqueue(), second = bench.store.enqueue()
        for id in [first, second] { bench.store.edit(id) { $0.cancelRequested = true } }
        bench.end(second)
        bench.pass(5000)
        #expect(bench.store.job(first)?.state == .cancelled)
        #expect(bench.store.job(first)?.reason == "jobs.cancelled")
        // What was done before it heard of it is done.
        #expect(bench.store.job(second)?.state == .done)
    }

    @Test func aJobThatTookItsHostDownTooOftenIsDead() {
        let bench = Bench()
        bench.hold()
        let queue = Bench.queue { $0.maxAttempts = 3 }
        let id = bench.store.enqueue()
        for life in 1...3 {
            // Never stopped: as after a kill.
            bench.store.forgetLeases()
            bench.pump(life: "\(life)").serve([queue])
            #expect(bench.begun.withLock { $0.count } == life)
        }
        bench.store.forgetLeases()
        bench.pump(life: "4").serve([queue])
        #expect(bench.begun.withLock { $0.count } == 3)
        #expect(bench.store.job(id)?.state == .dead)
        #expect(bench.store.job(id)?.reason == "jobs.lost")
    }

    @Test func anotherHostTakesOverWhenTheLeaseRunsOutAndNoSooner() {
        let bench = Bench()
        bench.hold()
        let queue = Bench.queue { $0.maxAttempts = 1 }
        let id = bench.store.enqueue { $0.maxAttempts = 2 }
        bench.pump("a").serve([queue])
        bench.store.fail("Heartbeat", 1000)
        bench.pump("b").serve([queue])
        bench.pass(29_000)
        #expect(bench.begun.withLock { $0 } == ["\(id)#1"])
        bench.pass(6000)
        #expect(bench.begun.withLock { $0 }.last == "\(id)#2")
    }

    @Test func aStopLetsRunsEndAndGivesTheRestBackUncounted() {
        let bench = Bench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([Bench.queue { $0.concurrency = 2 }])
        for _ in 0..<4 { bench.store.enqueue() }
        let stopped = Mutex(0)
        pump.stop(drain: 10_000) { stopped.withLock { $0 += 1 } }
        bench.end("job_1")
        #expect(stopped.withLock { $0 } == 0)
        bench.pass(10_000)
        #expect(stopped.withLock { $0 } == 1)
        #expect(bench.store.states == [.done, .waiting, .waiting, .waiting])
        #expect(bench.store.job("job_2")?.attempts == 0)
        #expect(bench.begun.withLock { $0.count } == 2)
    }

    @Test func aQueueThatIsGoneIsLeftAloneButWhatItBeganEnds() {
        let bench = Bench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([Bench.queue()])
        bench.store.enqueue()
        pump.serve([])
        bench.store.enqueue()
        #expect(bench.begun.withLock { $0.count } == 1)
        bench.end("job_1")
        #expect(bench.store.states == [.done, .waiting])
        pump.serve([Bench.queue { $0.concurrency = 1 }])
        #expect(bench.begun.withLock { $0.count } == 2)
    }

    @Test func manyShortJobsAreLeasedAndFinishedTogether() {
        let bench = Bench()
        bench.run()
        for _ in 0..<5000 { bench.store.enqueue() }
        let pump = bench.pump()
        pump.serve([Bench.queue()])
        #expect(bench.store.states.allSatisfy { $0 == .done })
        #expect(bench.begun.withLock { $0.count } == 5000)
        #expect(bench.store.calls("Lease") < 100)
        #expect(bench.store.calls("Heartbeat") == 0)
    }

    @Test func outcomesThatComeWhileOthersAreStoredGoTogether() {
        var batches = FinishBatches()
        let entry = { (number: Int) in
            FinishBatches.Entry(outcome: .with { $0.jobID = "job_\(number)" }, run: 1)
        }
        func sizes(_ actions: [FinishBatches.Action]) -> [Int] {
            actions.compactMap { if case .send(let entries) = $0 { entries.count } else { nil } }
        }
        #expect(sizes(batches.handle(.add(entry(0)))) == [1])
        for number in 1...1500 { #expect(batches.handle(.add(entry(number))).isEmpty) }
        #expect(sizes(batches.handle(.stored)) == [1000])
        #expect(sizes(batches.handle(.failed)).isEmpty)
        #expect(sizes(batches.handle(.again)) == [1000])
        #expect(sizes(batches.handle(.stored)) == [500])
        for _ in 1..<FinishBatches.attempts {
            _ = batches.handle(.failed)
            #expect(sizes(batches.handle(.again)) == [500])
        }
        let last = batches.handle(.failed)
        #expect(last.contains { if case .giveUp(500) = $0 { true } else { false } })
        #expect(sizes(batches.handle(.add(entry(0)))) == [1])
    }

    @Test func aStoreThatFailsIsAskedAgainAndNothingIsLost() {
        let bench = Bench()
        bench.run()
        bench.store.fail("List", 2)
        bench.store.fail("Lease", 2)
        bench.store.fail("Finish", 2)
        for _ in 0..<20 { bench.store.enqueue() }
        bench.pump().serve([Bench.queue()])
        bench.pass(20_000)
        #expect(bench.store.states.allSatisfy { $0 == .done })
        #expect(bench.begun.withLock { $0.count } == 20)
    }

    @Test func schedulesFireAtTheirTimeOnceAlsoWithTwoHosts() {
        let bench = Bench()
        bench.run()
        bench.store.put("minutely", "* * * * *")
        bench.pump("a").serve([Bench.queue()])
        bench.pump("b").serve([Bench.queue()])
        bench.pass(59_000)
        #expect(bench.store.states.isEmpty)
        bench.pass(122_000)
        #expect(bench.store.states == [.done, .done, .done])
        let start: Int64 = 1_767_225_600_000
        #expect((1...3).map { bench.store.job("job_\($0)")?.runAt } == [0, 0, 0])
        #expect(bench.store.state.withLock { $0.schedules["minutely"]?.nextAt } == start + 240_000)
    }

    @Test func aBrokenScheduleIsPutOffAndDoesNotStopTheOthers() {
        let bench = Bench()
        bench.run()
        bench.store.put("broken", "99 * * * *")
        bench.store.put("minutely", "* * * * *")
        bench.pump().serve([Bench.queue()])
        bench.pass(61_000)
        #expect(bench.store.states == [.done])
        // Worked out at the first look, an hour before it is looked at again.
        let next: Int64? = bench.store.state.withLock { $0.schedules["broken"]?.nextAt }
        #expect(next == Int64(1_767_225_600_000 + 3_600_000))
    }

    /// Hosts come and go, leases are lost, calls fail: no job ever runs twice at the same time under a lease that holds,
    /// every one ends, and none ends twice.
    @Test(arguments: 1...12)
    func anyHistoryRunsEachJobToItsEndAndNeverTwiceAtATime(seed: UInt64) {
        var random = SeededRandom(seed)
        let bench = Bench()
        struct Run: Sendable {
            var job: JobsJob
            var isLive: @Sendable () -> Bool
        }
        let active = Mutex<[String: Run]>([:])
        let overlaps = Mutex(0)
        bench.calls.handleLive("press", "theatre.jobs.v1.Worker/Run") { call, isLive, then in
            guard let request = try? JobsRunRequest(serializedBytes: call.payload) else { return }
            let job = request.job
            // The lease of the run before, if it has not ended, must have run out.
            let other = active.withLock { active in
                defer { active[job.jobID] = Run(job: job, isLive: isLive) }
                return active[job.jobID]
            }
            if let other, other.isLive(), other.job.leaseUntil > bench.clock.wall { overlaps.withLock { $0 += 1 } }
            bench.running.withLock { $0[job.jobID] = then }
        }
        var pumps = [bench.pump("a"), bench.pump("b")]
        let queue = Bench.queue {
            $0.lease = 3000
            $0.maxAttempts = 1000
            $0.concurrency = 3
            $0.backoff = 100
            $0.backoffMax = 1000
        }
        for pump in pumps { pump.serve([queue]) }
        for step in 0..<400 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2 where step < 300: bench.store.enqueue()
            case 3...6:
                let ids = bench.running.withLock { $0.keys.sorted() }
                guard let id = ids.randomElement(using: &random) else { continue }
                let fails = Int.random(in: 0..<4, using: &random) == 0
                bench.end(id, fails ? .failure(CallError(.aborted, "x", "Y.", retry: .safe)) : .success(.init()))
            case 7: bench.store.fail("Heartbeat", Int.random(in: 0...2, using: &random))
            case 8 where step % 7 == 0:
                let index = Int.random(in: 0..<2, using: &random)
                let stopped = Mutex(false)
                pumps[index].stop(drain: 0) { stopped.withLock { $0 = true } }
                bench.pass(1, step: 1)
                // Another life of a host begins when the one before has ended.
                #expect(stopped.withLock { $0 })
                pumps[index] = bench.pump(index == 0 ? "a" : "b", life: "\(step)")
                pumps[index].serve([queue])
            default: bench.pass(Int64.random(in: 1...1500, using: &random))
            }
        }
        for _ in 0..<200 {
            for id in bench.running.withLock({ $0.keys.sorted() }) { bench.end(id) }
            bench.pass(500)
        }
        #expect(overlaps.withLock { $0 } == 0)
        #expect(bench.store.states.allSatisfy { $0 == .done })
        #expect(!bench.store.states.isEmpty)
    }
}

/// SplitMix64.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
