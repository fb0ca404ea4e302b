// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// Of several hosts on one log one delivers.
@Suite struct ConsumerLeaseTests {
    @Test func oneHostDeliversAtATime() {
        let bench = EventBench()
        bench.deliver()
        let first = bench.pump("a"), second = bench.pump("b")
        first.serve([bench.consumer])
        second.serve([bench.consumer])
        bench.log.append("a", "b")
        bench.clock.advance(60_000)
        #expect(bench.order == ["1#1", "2#1"])
        first.stop(drain: 20_000) {}
        bench.clock.advance(2000)
        bench.log.append("c")
        #expect(bench.order == ["1#1", "2#1", "3#1"])
    }

    @Test func aHostThatIsKilledIsRelievedWhenItsLeaseRunsOutAndTakesItsOwnUpAtOnce() {
        let bench = EventBench()
        bench.deliver { _, _ in nil }
        bench.log.append("a")
        bench.pump("a").serve([bench.consumer])
        #expect(bench.order == ["1#1"])
        // The same host, begun again: nobody has to wait for its former life.
        bench.pump("a").serve([bench.consumer])
        #expect(bench.order == ["1#1", "1#1"])
    }

    @Test func aHostThatLosesItsLeaseGivesUpWhatItDelivers() {
        let bench = EventBench()
        let ended = Mutex<[Int64]>([])
        bench.deliver { _, _ in nil }
        bench.log.append("a", "b")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        bench.log.steal()
        bench.deliver { request, _ in
            ended.withLock { $0.append(request.event.offset) }
            return .init()
        }
        bench.clock.advance(30_000)
        #expect(ended.withLock { $0.isEmpty })
        #expect(bench.log.cursor == 0)
    }
}
