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
        var letters: [Int64: EventsDeadLetter] = [:]
        var lettersFail = false
        /// Holder, token and end of a lease, by name.
        var leases: [String: (holder: String, token: Int64, until: Int64)] = [:]
        var token: Int64 = 0
    }

    private let state = Mutex(State())

    private let clock: ManualClock

    init(_ calls: FakeCalls, _ clock: ManualClock) {
        self.clock = clock
        serveLetters(calls)
        serveLeases(calls)
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

    private func serveLetters(_ calls: FakeCalls) {
        calls.serve("sqlite", "theatre.events.v1.Log/ListConsumers") {
            [self] (_: EventsListConsumersRequest, _) -> EventsListConsumersResponse? in
            state.withLock { state in
                .with {
                    $0.consumers = state.cursors.map { name, offset in
                        .with {
                            $0.consumer = name
                            $0.offset = offset
                            $0.deadLetters = UInt32(state.letters.count)
                        }
                    }
                }
            }
        }
        calls.serve("sqlite", "theatre.events.v1.Log/AddDeadLetter") {
            [self] (request: EventsAddDeadLetterRequest, _) -> EventsAddDeadLetterResponse? in
            try state.withLock { state in
                if state.lettersFail { throw CallError(.unavailable, "sql.busy", "Busy.") }
                state.letters[request.offset] = .with {
                    $0.consumer = request.consumer
                    $0.event = state.events[Int(request.offset) - 1]
                    $0.reason = request.reason
                    $0.attempts = request.attempts
                }
                return .init()
            }
        }
        calls.serve("sqlite", "theatre.events.v1.Log/ListDeadLetters") {
            [self] (request: EventsListDeadLettersRequest, _) -> EventsListDeadLettersResponse? in
            state.withLock { state in
                let letters = state.letters.sorted { $0.key < $1.key }.map(\.value)
                return .with { $0.letters = letters.filter { !request.requested || $0.requested } }
            }
        }
        calls.serve("sqlite", "theatre.events.v1.Log/ResolveDeadLetters") {
            [self] (request: EventsResolveDeadLettersRequest, _) -> EventsResolveDeadLettersResponse? in
            state.withLock { state in
                for offset in request.offsets { state.letters[offset] = nil }
                return .init()
            }
        }
    }

    private func serveLeases(_ calls: FakeCalls) {
        calls.serve("sqlite", "theatre.lease.v1.Leases/Acquire") {
            [self] (request: LeaseAcquireRequest, _) -> LeaseLease? in
            try lease(request.name, request.holder, request.ttlMs)
        }
        calls.serve("sqlite", "theatre.lease.v1.Leases/Renew") {
            [self] (request: LeaseRenewRequest, _) -> LeaseLease? in
            guard state.withLock({ $0.leases[request.name]?.token }) == request.fencingToken else {
                throw CallError(.failedPrecondition, "lease.lost", "Lost.")
            }
            return try lease(request.name, request.holder, request.ttlMs)
        }
        calls.serve("sqlite", "theatre.lease.v1.Leases/Release") {
            [self] (request: LeaseReleaseRequest, _) -> LeaseReleaseResponse? in
            state.withLock { state in
                if state.leases[request.name]?.token == request.fencingToken { state.leases[request.name] = nil }
            }
            return .init()
        }
    }

    private func lease(_ name: String, _ holder: String, _ ttl: UInt32) throws -> LeaseLease {
        let now = clock.wall
        return try state.withLock { state in
            if let lease = state.leases[name], lease.holder != holder, lease.until > now {
                throw CallError(.failedPrecondition, "lease.taken", "Taken.")
            }
            if state.leases[name]?.holder != holder { state.token += 1 }
            let token = state.leases[name]?.holder == holder ? state.leases[name]?.token ?? 0 : state.token
            state.leases[name] = (holder, token, now + Int64(ttl))
            return .with { $0.fencingToken = token }
        }
    }

    /// Another host takes the lease, as after it ran out.
    func steal() {
        state.withLock { state in
            for name in state.leases.keys {
                state.token += 1
                state.leases[name] = ("thief", state.token, Int64.max)
            }
        }
    }

    var letters: [Int64] { state.withLock { $0.letters.keys.sorted() } }
    func letter(_ offset: Int64) -> EventsDeadLetter? { state.withLock { $0.letters[offset] } }
    func failLetters(_ fails: Bool) { state.withLock { $0.lettersFail = fails } }
    func request(_ offset: Int64) { state.withLock { $0.letters[offset]?.requested = true } }

    var cursor: Int64 { state.withLock { $0.cursors.values.first ?? 0 } }
    var head: Int64 { state.withLock { Int64($0.events.count) } }
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
    let times = Mutex<[String: Int64]>([:])
    let taken = Mutex<[String]>([])
    let consumer = EventConsumer(instance: "inbox", types: ["draft."])

    init() { log = FakeLog(calls, clock) }

    func pump(_ holder: String = "host") -> EventPump {
        EventPump(
            calls, storage: "sqlite", clock: clock, holder: holder,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    func deliver(
        _ body: @escaping @Sendable (EventsDeliverRequest, UnaryCall) throws -> EventsDeliverResponse? = { _, _ in
            .init()
        }
    ) {
        calls.serve("inbox", "theatre.events.v1.Consumer/Deliver") { [self] (request: EventsDeliverRequest, call) in
            let key = "\(request.event.offset)#\(request.attempt)"
            taken.withLock { $0.append(key) }
            times.withLock { $0[key] = clock.wall }
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

    @Test func aRefusedEventComesAgainEverLaterAndHoldsUpItsAggregateOnly() {
        let bench = Bench()
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
        let bench = Bench()
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

    @Test func whatIsRefusedTooOftenOrForGoodIsSetAsideAndTheCursorPassesIt() {
        let bench = Bench()
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

    @Test func anInstanceThatIsNotThereRefusesNothing() {
        let bench = Bench()
        bench.deliver { _, _ in throw CallError(.unavailable, "instance.closed", "Closed.", retry: .safe) }
        bench.log.append("a")
        let pump = bench.pump()
        pump.serve([EventConsumer(instance: "inbox", subscriptions: [.init(types: [], maxAttempts: 2)])])
        bench.clock.advance(600_000)
        #expect(bench.log.letters.isEmpty && bench.log.cursor == 0)
        #expect(bench.order.count > 100)
    }

    @Test func anEventThatCannotBeSetAsideIsNotLost() {
        let bench = Bench()
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
        let bench = Bench()
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

    @Test func aCursorMovedBackByAnotherProcessBringsEverythingAfterAgain() {
        let bench = Bench()
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

    @Test func oneHostDeliversAtATime() {
        let bench = Bench()
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
        let bench = Bench()
        bench.deliver { _, _ in nil }
        bench.log.append("a")
        bench.pump("a").serve([bench.consumer])
        #expect(bench.order == ["1#1"])
        // The same host, begun again: nobody has to wait for its former life.
        bench.pump("a").serve([bench.consumer])
        #expect(bench.order == ["1#1", "1#1"])
    }

    @Test func aHostThatLosesItsLeaseGivesUpWhatItDelivers() {
        let bench = Bench()
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

    @Test func whatWentBeforeARefusedEventIsSafeBeforeItIsTriedAgain() {
        let bench = Bench()
        bench.deliver { request, _ in
            if request.event.offset == 2 { throw CallError(.internal, "inbox.broken", "Broken.") }
            return .init()
        }
        bench.log.append("a", "b")
        let pump = bench.pump()
        pump.serve([bench.consumer])
        #expect(bench.log.cursor == 1)
    }

    @Test func aKillInTheMiddleBringsEventsAgainButLosesNone() {
        let bench = Bench()
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

    @Test func aLogThatFailsIsAskedAgainEverLater() {
        let bench = Bench()
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
        #expect(bench.order.last == "6#1")
        #expect(bench.log.cursor == 6)
    }

    /// Whatever is refused, fails or moves: of each aggregate the last deliveries are in order, and all are taken.
    @Test(arguments: 1...20)
    func anyHistoryKeepsEachAggregateInOrder(seed: UInt64) {
        var random = SeededRandom(seed)
        let bench = Bench()
        let held = Mutex<[(EventsEvent, FakeCalls.Then)]>([])
        let done = Mutex<[String: [Int64]]>([:])
        let overlaps = Mutex(0)
        bench.calls.hold("inbox", "theatre.events.v1.Consumer/Deliver") { payload, then in
            guard let request = try? EventsDeliverRequest(serializedBytes: payload) else { return }
            held.withLock { held in
                if held.contains(where: { $0.0.aggregate == request.event.aggregate }) {
                    overlaps.withLock { $0 += 1 }
                }
                held.append((request.event, then))
            }
        }
        let pump = bench.pump()
        pump.serve([EventConsumer(instance: "inbox", subscriptions: [.init(types: [], maxAttempts: 1000)])])
        for step in 0..<500 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0...2 where step < 350:
                bench.log.append("abcdefg".randomElement(using: &random).map { String($0) } ?? "")
            case 3...8:
                let entry = held.withLock { held in
                    held.isEmpty ? nil : held.remove(at: Int.random(in: 0..<held.count, using: &random))
                }
                guard let (event, then) = entry else { continue }
                guard Int.random(in: 0..<4, using: &random) > 0 else {
                    then(.failure(CallError(.unavailable, "x", "Y.", retry: .safe)))
                    continue
                }
                done.withLock { $0[event.aggregate, default: []].append(event.offset) }
                then(.success([]))
            case 9: bench.log.failReads(1)
            case 10 where step % 5 == 0:
                bench.log.setCursor(Int64.random(in: 0...max(0, bench.log.cursor), using: &random))
            default: bench.clock.advance(Int64.random(in: 1...2000, using: &random))
            }
        }
        for _ in 0..<2000 {
            while let (event, then) = held.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                done.withLock { $0[event.aggregate, default: []].append(event.offset) }
                then(.success([]))
            }
            bench.clock.advance(1000)
            if bench.log.cursor == bench.log.head { break }
        }
        #expect(bench.log.cursor == bench.log.head)
        #expect(overlaps.withLock { $0 } == 0)
        for (_, offsets) in done.withLock({ $0 }) {
            // A step back is a replay, after which everything comes again up to where it was; none is left out.
            var seen: Set<Int64> = []
            for offset in offsets {
                #expect(Set(offsets.filter { $0 < offset }).isSubset(of: seen))
                seen.insert(offset)
            }
        }
        #expect(Set(done.withLock { $0.values.flatMap { $0 } }).count == Int(bench.log.head))
    }

    @Test func stoppingStoresTheCursorAndEndsTheRead() {
        let bench = Bench()
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
