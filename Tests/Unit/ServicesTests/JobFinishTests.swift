// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// Ends of jobs are stored many at a time, and none is lost.
@Suite struct JobFinishTests {
    @Test func manyShortJobsAreLeasedAndFinishedTogether() {
        let bench = JobBench()
        bench.run()
        for _ in 0..<5000 { bench.store.enqueue() }
        let pump = bench.pump()
        pump.serve([JobBench.queue()])
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
        let bench = JobBench()
        bench.run()
        bench.store.fail("List", 2)
        bench.store.fail("Lease", 2)
        bench.store.fail("Finish", 2)
        for _ in 0..<20 { bench.store.enqueue() }
        bench.pump().serve([JobBench.queue()])
        bench.pass(20_000)
        #expect(bench.store.states.allSatisfy { $0 == .done })
        #expect(bench.begun.withLock { $0.count } == 20)
    }
}
