// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// Schedules fire.
@Suite struct JobScheduleTests {
    @Test func schedulesFireAtTheirTimeOnceAlsoWithTwoHosts() {
        let bench = JobBench()
        bench.run()
        bench.store.put("minutely", "* * * * *")
        bench.pump("a").serve([JobBench.queue()])
        bench.pump("b").serve([JobBench.queue()])
        bench.pass(59_000)
        #expect(bench.store.states.isEmpty)
        bench.pass(122_000)
        #expect(bench.store.states == [.done, .done, .done])
        let start: Int64 = 1_767_225_600_000
        #expect((1...3).map { bench.store.job("job_\($0)")?.runAt } == [0, 0, 0])
        #expect(bench.store.state.withLock { $0.schedules["minutely"]?.nextAt } == start + 240_000)
    }

    @Test func aBrokenScheduleIsPutOffAndDoesNotStopTheOthers() {
        let bench = JobBench()
        bench.run()
        bench.store.put("broken", "99 * * * *")
        bench.store.put("minutely", "* * * * *")
        bench.pump().serve([JobBench.queue()])
        bench.pass(61_000)
        #expect(bench.store.states == [.done])
        // Worked out at the first look, an hour before it is looked at again.
        let next: Int64? = bench.store.state.withLock { $0.schedules["broken"]?.nextAt }
        #expect(next == Int64(1_767_225_600_000 + 3_600_000))
    }
}
