// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// One host has a job at a time, as long as it lives.
@Suite struct JobLeaseTests {
    @Test func heartbeatsKeepALeaseThatALongRunNeeds() {
        let bench = JobBench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([JobBench.queue { $0.lease = 9000 }])
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
        let bench = JobBench()
        bench.hold()
        let pump = bench.pump()
        pump.serve([JobBench.queue { $0.lease = 9000 }])
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

    @Test func aJobThatTookItsHostDownTooOftenIsDead() {
        let bench = JobBench()
        bench.hold()
        let queue = JobBench.queue { $0.maxAttempts = 3 }
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
        let bench = JobBench()
        bench.hold()
        let queue = JobBench.queue { $0.maxAttempts = 1 }
        let id = bench.store.enqueue { $0.maxAttempts = 2 }
        bench.pump("a").serve([queue])
        bench.store.fail("Heartbeat", 1000)
        bench.pump("b").serve([queue])
        bench.pass(29_000)
        #expect(bench.begun.withLock { $0 } == ["\(id)#1"])
        bench.pass(6000)
        #expect(bench.begun.withLock { $0 }.last == "\(id)#2")
    }
}
