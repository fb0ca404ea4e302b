// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// Events are delivered in order, again after an error, and the cursor follows.
@Suite struct EventPumpTests {
    @Test func eventsComeInOrderAndTheCursorFollows() {
        let bench = EventBench()
        let contexts = Mutex<[HostContext]>([])
        bench.deliver { _, call in
            contexts.withLock { $0.append(call.context.message) }
            return .init()
        }
        bench.log.append("a", "b", "a")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        #expect(bench.order == ["1#1", "2#1", "3#1"])
        #expect(bench.log.cursor == 3)
        bench.log.append("c")
        #expect(bench.order.last == "4#1")
        #expect(bench.log.cursor == 4)
        let context = contexts.withLock { $0[0] }
        #expect(context.tenant == "acme")
        #expect(context.traceparent == "00-aa-bb-01")
        #expect(context.principalKind == .system)
    }

    @Test func aRefusedEventComesAgainEverLaterAndHoldsUpItsAggregateOnly() {
        let bench = EventBench()
        bench.deliver { request, _ in
            if request.event.offset == 2, request.attempt < 9 { throw CallError(.internal, "inbox.broken", "Broken.") }
            return .init()
        }
        bench.log.append("a", "b", "c", "b")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        #expect(bench.order == ["1#1", "2#1", "3#1"])
        #expect(bench.log.cursor == 1)
        bench.clock.advance(300_000)
        #expect(bench.order == ["1#1", "2#1", "3#1"] + (2...9).map { "2#\($0)" } + ["4#1"])
        let times = bench.times.withLock { times in (1...9).compactMap { times["2#\($0)"] } }
        #expect(
            zip(times.dropFirst(), times).map { $0 - $1 }
                == [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
        #expect(bench.log.cursor == 4)
    }

    @Test func eventsOfDifferentAggregatesComeAtOnceThoseOfOneInOrder() {
        let bench = EventBench()
        let held = Mutex<[Int64: FakeCalls.Then]>([:])
        bench.calls.hold("inbox", "theatre.events.v1.Consumer/Deliver") { payload, then in
            guard let request = try? EventsDeliverRequest(serializedBytes: payload) else { return }
            held.withLock { $0[request.event.offset] = then }
        }
        bench.log.append("a", "b", "a", "c", "d", "b")
        let pump = bench.pump()
        pump.serve([EventConsumer(instance: "inbox", subscriptions: [.init(types: ["draft."])], concurrency: 3)])
        #expect(held.withLock { $0.keys.sorted() } == [1, 2, 4])
        func end(_ offset: Int64) { held.withLock { $0.removeValue(forKey: offset) }?(.success([])) }
        end(2)
        #expect(held.withLock { $0.keys.sorted() } == [1, 4, 5])
        #expect(bench.log.cursor == 0)
        end(1)
        #expect(bench.log.cursor == 2)
        #expect(held.withLock { $0.keys.sorted() } == [4, 5, 6])
        for offset: Int64 in [6, 5, 4] { end(offset) }
        #expect(held.withLock { $0.keys.sorted() } == [3])
        #expect(bench.log.cursor == 2)
        end(3)
        #expect(bench.log.cursor == 6)
    }

    @Test func anInstanceThatIsNotThereRefusesNothing() {
        let bench = EventBench()
        bench.deliver { _, _ in throw CallError(.unavailable, "instance.closed", "Closed.", retry: .safe) }
        bench.log.append("a")
        let pump = bench.pump()
        pump.serve([EventConsumer(instance: "inbox", subscriptions: [.init(types: [], maxAttempts: 2)])])
        bench.clock.advance(600_000)
        #expect(bench.log.letters.isEmpty && bench.log.cursor == 0)
        #expect(bench.order.count > 100)
    }

    @Test func whatWentBeforeARefusedEventIsSafeBeforeItIsTriedAgain() {
        let bench = EventBench()
        bench.deliver { request, _ in
            if request.event.offset == 2 { throw CallError(.internal, "inbox.broken", "Broken.") }
            return .init()
        }
        bench.log.append("a", "b")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        #expect(bench.log.cursor == 1)
    }

    @Test func aLogThatFailsIsAskedAgainEverLater() {
        let bench = EventBench()
        bench.deliver()
        bench.log.append("a")
        bench.log.failReads(3)
        let pump = bench.pump()
        pump.serve([bench.consumer])
        let start = bench.clock.wall
        bench.clock.advance(6999)
        #expect(bench.order.isEmpty)
        bench.clock.advance(1)
        #expect(bench.times.withLock { $0["1#1"] } == start + 7000)
    }

    @Test func stoppingStoresTheCursorAndEndsTheRead() {
        let bench = EventBench()
        let answer = Mutex<FakeCalls.Then?>(nil)
        bench.calls.hold("inbox", "theatre.events.v1.Consumer/Deliver") { _, then in answer.withLock { $0 = then } }
        bench.log.append("a", "a")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        let stopped = Mutex(0)
        pump.stop(drain: 20_000) { stopped.withLock { $0 += 1 } }
        #expect(stopped.withLock { $0 } == 0)
        answer.withLock { $0 }?(.success([]))
        #expect(stopped.withLock { $0 } == 1)
        #expect(bench.log.cursor == 1)
        // One that waits for events stops at once.
        bench.deliver()
        let idle = bench.pump()
        idle.serve([bench.consumer])
        #expect(bench.order == ["2#1"])
        idle.stop(drain: 20_000) { stopped.withLock { $0 += 1 } }
        #expect(stopped.withLock { $0 } == 2)
    }
}
