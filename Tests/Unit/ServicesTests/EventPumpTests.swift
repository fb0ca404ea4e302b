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

/// A log in memory, whose empty reads wait.
private final class FakeLog: Sendable {
    private struct State {
        var events: [EventsEvent] = []
        var cursors: [String: Int64] = [:]
        var failures = 0
        var waiting: [(after: Int64, then: FakeCalls.Then)] = []
    }

    private let state = Mutex(State())

    init(_ calls: FakeCalls) {
        calls.hold("sqlite", "theatre.events.v1.Log/Read") { [self] payload, then in
            let failure = state.withLock { state in
                defer { state.failures = max(0, state.failures - 1) }
                return state.failures > 0
            }
            if failure { return then(.failure(CallError(.unavailable, "sql.busy", "Busy."))) }
            guard let request = try? EventsReadRequest(serializedBytes: payload) else { return }
            state.withLock { $0.waiting.append((request.after, then)) }
            serve()
        }
        calls.serve("sqlite", "theatre.events.v1.Log/MoveCursor") {
            [self] (request: EventsMoveCursorRequest, _) -> EventsMoveCursorResponse? in
            let offset = state.withLock { state in
                let now = state.cursors[request.consumer] ?? 0
                if request.expected == now { state.cursors[request.consumer] = request.offset }
                return state.cursors[request.consumer] ?? 0
            }
            return EventsMoveCursorResponse.with { $0.offset = offset }
        }
    }

    var cursor: Int64 { state.withLock { $0.cursors.values.first ?? 0 } }
    func failReads(_ count: Int) { state.withLock { $0.failures = count } }
    func setCursor(_ offset: Int64) {
        state.withLock { $0.cursors["inbox/theatre.events.v1.Consumer/Deliver"] = offset }
    }

    func append(_ aggregates: String...) {
        state.withLock { state in
            for aggregate in aggregates {
                let offset = Int64(state.events.count + 1)
                state.events.append(
                    EventsEvent.with {
                        $0.offset = offset
                        $0.eventID = "evt_\(offset)"
                        $0.aggregate = aggregate
                        $0.tenant = "acme"
                        $0.traceparent = "00-aa-bb-01"
                    })
            }
        }
        serve()
    }

    private func serve() {
        let ready = state.withLock { state -> [(Int64, FakeCalls.Then, [EventsEvent], Int64)] in
            let head = state.events.last?.offset ?? 0
            let ready = state.waiting.filter { $0.after < head }
            state.waiting.removeAll { $0.after < head }
            return ready.map { entry in (entry.after, entry.then, state.events.filter { $0.offset > entry.after }, head)
            }
        }
        for (_, then, events, head) in ready {
            let response = EventsReadResponse.with {
                $0.events = Array(events.prefix(100))
                $0.head = head
            }
            then(Result { try response.serializedBytes() }.mapError { CallError(.internal, "test", "\($0)") })
        }
    }
}

private final class Bench: Sendable {
    let calls = FakeCalls()
    let clock = ManualClock()
    let log: FakeLog
    let taken = Mutex<[String]>([])
    let consumer = EventConsumer(instance: "inbox", types: ["draft."])

    init() { log = FakeLog(calls) }

    func pump() -> EventPump {
        EventPump(
            calls, storage: "sqlite", clock: clock,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    func deliver(
        _ body: @escaping @Sendable (EventsDeliverRequest, UnaryCall) throws -> EventsDeliverResponse? = { _, _ in
            .init()
        }
    ) {
        calls.serve("inbox", "theatre.events.v1.Consumer/Deliver") { [self] (request: EventsDeliverRequest, call) in
            taken.withLock { $0.append("\(request.event.offset)#\(request.attempt)") }
            return try body(request, call)
        }
    }

    var order: [String] { taken.withLock { $0 } }
}

@Suite struct EventPumpTests {
    @Test func eventsComeInOrderAndTheCursorFollows() {
        let bench = Bench()
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

    @Test func aRefusedEventComesAgainEverLaterAndNothingOvertakesIt() {
        let bench = Bench()
        bench.deliver { request, _ in
            if request.event.offset == 2, request.attempt < 9 { throw CallError(.internal, "inbox.broken", "Broken.") }
            return .init()
        }
        bench.log.append("a", "b", "c")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        var waits: [Int64] = []
        while let wait = bench.clock.untilNext {
            waits.append(wait)
            bench.clock.advance(wait)
        }
        #expect(waits == [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
        #expect(bench.order == ["1#1"] + (1...9).map { "2#\($0)" } + ["3#1"])
        #expect(bench.log.cursor == 3)
    }

    @Test func whatWentBeforeARefusedEventIsSafeBeforeItIsTriedAgain() {
        let bench = Bench()
        bench.deliver { request, _ in
            if request.event.offset == 2 { throw CallError(.internal, "inbox.broken", "Broken.") }
            return .init()
        }
        bench.log.append("a", "b")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        #expect(bench.log.cursor == 0)
        bench.clock.advance(1000)
        #expect(bench.log.cursor == 1)
    }

    @Test func aKillInTheMiddleBringsEventsAgainButLosesNone() {
        let bench = Bench()
        // Killed while the second event is being taken: no answer ever comes.
        bench.deliver { request, _ in request.event.offset == 2 ? nil : .init() }
        bench.log.append("a", "b", "c")
        let killed = bench.pump()
        killed.serve([bench.consumer])
        #expect(bench.order == ["1#1", "2#1"])
        bench.deliver()
        let next = bench.pump()
        next.serve([bench.consumer])
        #expect(bench.order == ["1#1", "2#1", "1#1", "2#1", "3#1"])
        #expect(bench.log.cursor == 3)
    }

    @Test func aLogThatFailsIsAskedAgainEverLater() {
        let bench = Bench()
        bench.deliver()
        bench.log.append("a")
        bench.log.failReads(3)
        let pump = bench.pump()
        pump.serve([bench.consumer])
        var waits: [Int64] = []
        while let wait = bench.clock.untilNext {
            waits.append(wait)
            bench.clock.advance(wait)
        }
        #expect(waits == [1000, 2000, 4000])
        #expect(bench.order == ["1#1"])
    }

    @Test func aCursorThatSomebodyElseMovedCounts() {
        let bench = Bench()
        bench.deliver { [weak bench] request, _ in
            if request.event.offset == 2 { bench?.log.setCursor(5) }
            return .init()
        }
        bench.log.append("a", "b")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        bench.log.append("c", "d", "e", "f")
        #expect(bench.order == ["1#1", "2#1", "6#1"])
        #expect(bench.log.cursor == 6)
    }

    @Test func stoppingStoresTheCursorAndEndsTheRead() {
        let bench = Bench()
        let answer = Mutex<FakeCalls.Then?>(nil)
        bench.calls.hold("inbox", "theatre.events.v1.Consumer/Deliver") { _, then in answer.withLock { $0 = then } }
        bench.log.append("a", "b")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        let stopped = Mutex(0)
        pump.stop { stopped.withLock { $0 += 1 } }
        #expect(stopped.withLock { $0 } == 0)
        answer.withLock { $0 }?(.success([]))
        #expect(stopped.withLock { $0 } == 1)
        #expect(bench.log.cursor == 1)
        // One that waits for events stops at once.
        bench.deliver()
        let idle = bench.pump()
        idle.serve([bench.consumer])
        #expect(bench.order == ["2#1"])
        idle.stop { stopped.withLock { $0 += 1 } }
        #expect(stopped.withLock { $0 } == 2)
    }
}
