// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SeededRandom
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// Random histories of failures, kills and lost leases.
@Suite struct JobHistoryTests {
    /// Hosts come and go, leases are lost, calls fail: no job ever runs twice at the same time under a lease that holds,
    /// every one ends, and none ends twice.
    @Test(arguments: 1...12)
    func anyHistoryRunsEachJobToItsEndAndNeverTwiceAtATime(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let bench = JobBench()
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
        let queue = JobBench.queue {
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
