// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// A consumer's place in the log, kept over kills and moved by others.
@Suite struct EventCursorTests {
    @Test func aCursorMovedBackByAnotherProcessBringsEverythingAfterAgain() {
        let bench = EventBench()
        bench.deliver()
        bench.log.append("a", "b", "c")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        #expect(bench.log.cursor == 3)
        bench.log.setCursor(1)
        bench.clock.advance(1000)
        #expect(bench.order == ["1#1", "2#1", "3#1", "2#1", "3#1"])
        #expect(bench.log.cursor == 3)
        bench.clock.advance(10_000)
        #expect(bench.order.count == 5)
    }

    @Test func aKillInTheMiddleBringsEventsAgainButLosesNone() {
        let bench = EventBench()
        // Killed while the second event is being taken: no answer ever comes.
        bench.deliver { request, _ in request.event.offset == 2 ? nil : .init() }
        bench.log.append("a", "b", "b")
        let killed = bench.pump()
        killed.serve([bench.consumer])
        #expect(bench.order == ["1#1", "2#1"])
        bench.deliver()
        let next = bench.pump()
        next.serve([bench.consumer])
        #expect(bench.order == ["1#1", "2#1", "2#1", "3#1"])
        #expect(bench.log.cursor == 3)
    }

    /// Else what others publish would seem to be missing, and would never be old enough to be removed.
    @Test func aCursorPassesWhatIsOfNoInterest() {
        var delivery = EventDelivery(concurrency: 4) { _ in 5 }
        #expect(delivery.handle(.granted) == [.ask])
        #expect(delivery.handle(.cursor(0)) == [.read(after: 0)])
        #expect(delivery.handle(.read([], head: 7)) == [.move(expected: 0, to: 7), .read(after: 7)])
        #expect(delivery.handle(.cursor(7)).isEmpty)
        // Nothing came since, so nothing is stored.
        #expect(delivery.handle(.read([], head: 7)) == [.wait(EventDelivery.pauseAfterNothing)])
        #expect(delivery.handle(.proceed) == [.read(after: 7)])
    }

    @Test func aCursorThatSomebodyElseMovedCounts() {
        let bench = EventBench()
        bench.deliver { [weak bench] request, _ in
            if request.event.offset == 2 { bench?.log.setCursor(5) }
            return .init()
        }
        bench.log.append("a", "b")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        bench.log.append("c", "d", "e", "f")
        #expect(bench.order.last == "6#1")
        #expect(bench.log.cursor == 6)
    }
}
