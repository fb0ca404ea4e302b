// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// Jobs run in their instance, as many at a time as their queue allows, until the host stops.
@Suite struct JobPumpTests {
    @Test func aJobRunsAsTheSystemOnBehalfOfItsTenantAndIsDone() {
        let bench = JobBench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([JobBench.queue()])
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
        let bench = JobBench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([JobBench.queue { $0.concurrency = 3 }])
        for _ in 0..<10 { bench.store.enqueue() }
        #expect(bench.running.withLock { $0.count } == 3)
        for number in 1...10 {
            bench.end("job_\(number)")
            #expect(bench.running.withLock { $0.count } <= 3)
        }
        #expect(bench.store.states == Array(repeating: .done, count: 10))
    }

    @Test func aCancelledJobIsStoppedAtTheNextHeartbeat() {
        let bench = JobBench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([JobBench.queue()])
        let first = bench.store.enqueue(), second = bench.store.enqueue()
        for id in [first, second] { bench.store.edit(id) { $0.cancelRequested = true } }
        bench.end(second)
        bench.pass(5000)
        #expect(bench.store.job(first)?.state == .cancelled)
        #expect(bench.store.job(first)?.reason == "jobs.cancelled")
        // What was done before it heard of it is done.
        #expect(bench.store.job(second)?.state == .done)
    }

    @Test func aStopLetsRunsEndAndGivesTheRestBackUncounted() {
        let bench = JobBench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([JobBench.queue { $0.concurrency = 2 }])
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

    /// Short runs have jobs leased ahead; behind a long one they do not wait for this host alone.
    @Test func whatIsLeasedAheadIsGivenBackBehindALongRun() {
        let bench = JobBench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([JobBench.queue { $0.concurrency = 1 }])
        bench.store.enqueue()
        bench.end("job_1")
        for _ in 0..<3 { bench.store.enqueue() }
        bench.pass(250)
        #expect(bench.store.states == [.done, .running, .running, .running], "leased ahead")
        bench.pass(5000)
        #expect(bench.store.states == [.done, .running, .waiting, .waiting])
        #expect(bench.store.job("job_3")?.attempts == 0)
        let other = bench.pump("other")
        other.serve([JobBench.queue { $0.concurrency = 2 }])
        bench.pass(250)
        #expect(bench.begun.withLock { $0 } == ["job_1#1", "job_2#1", "job_3#1", "job_4#1"])
        for id in ["job_2", "job_3", "job_4"] { bench.end(id) }
        #expect(bench.store.states == Array(repeating: .done, count: 4))
    }

    @Test func aQueueThatIsGoneIsLeftAloneButWhatItBeganEnds() {
        let bench = JobBench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([JobBench.queue()])
        bench.store.enqueue()
        pump.serve([])
        bench.store.enqueue()
        #expect(bench.begun.withLock { $0.count } == 1)
        bench.end("job_1")
        #expect(bench.store.states == [.done, .waiting])
        pump.serve([JobBench.queue { $0.concurrency = 1 }])
        #expect(bench.begun.withLock { $0.count } == 2)
    }
}
