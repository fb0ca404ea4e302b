// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// What no delivery brings home is set aside, and comes again when it is asked for.
@Suite struct DeadLetterTests {
    @Test func whatIsRefusedTooOftenOrForGoodIsSetAsideAndTheCursorPassesIt() {
        let bench = EventBench()
        bench.deliver { request, _ in
            switch request.event.offset {
            case 1: throw CallError(.invalidArgument, "inbox.bad", "Bad.")
            case 2: throw CallError(.unavailable, "inbox.down", "Down.", retry: .safe)
            default: return .init()
            }
        }
        bench.log.append("a", "b", "a", "b")
        let pump = bench.pump()
        pump.serve([EventConsumer(instance: "inbox", subscriptions: [.init(types: [], maxAttempts: 3)])])
        #expect(bench.log.letters == [1])
        #expect(bench.log.letter(1)?.reason == "inbox.bad")
        bench.clock.advance(5000)
        #expect(bench.log.letters == [1, 2])
        #expect(bench.log.letter(2)?.attempts == 3)
        #expect(bench.order == ["1#1", "2#1", "3#1", "2#2", "2#3", "4#1"])
        #expect(bench.log.cursor == 4)
    }

    @Test func anEventThatCannotBeSetAsideIsNotLost() {
        let bench = EventBench()
        bench.deliver { _, _ in throw CallError(.invalidArgument, "inbox.bad", "Bad.") }
        bench.log.failLetters(true)
        bench.log.append("a")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        bench.clock.advance(20_000)
        #expect(bench.log.cursor == 0)
        bench.log.failLetters(false)
        bench.clock.advance(20_000)
        #expect(bench.log.letters == [1] && bench.log.cursor == 1)
    }

    @Test func aDeadLetterIsDeliveredAgainWhenAskedFor() {
        let bench = EventBench()
        let refuses = Mutex(true)
        bench.deliver { request, _ in
            if request.event.offset == 1, refuses.withLock({ $0 }) { throw CallError(.invalidArgument, "x", "Y.") }
            return .init()
        }
        bench.log.append("a", "b")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        #expect(bench.log.letters == [1])
        bench.log.request(1)
        bench.clock.advance(3000)
        #expect(bench.order == ["1#1", "2#1", "1#2"])
        #expect(bench.log.letter(1)?.requested == false)
        refuses.withLock { $0 = false }
        bench.log.request(1)
        bench.clock.advance(3000)
        #expect(bench.order == ["1#1", "2#1", "1#2", "1#3"])
        #expect(bench.log.letters.isEmpty)
    }
}
