// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts

@testable import Services

/// A log in memory, whose empty reads wait.
final class FakeLog: Sendable {
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
