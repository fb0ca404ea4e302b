// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// One consumer at work: performs what ``EventDelivery`` decides.
final class EventRun: Sendable {
    /// Events in one read.
    static let page: UInt32 = 100
    /// How long a read waits for a first event, in milliseconds.
    static let longPoll: UInt32 = 20_000

    let consumer: EventConsumer
    /// The consumer's generation that deliveries would reach now; 0 where it does not serve.
    var generation: UInt32 { parts.caller.calls.generation(of: consumer.instance, EventConsumer.operation) }
    private let loop: ActionLoop<EventDelivery>
    private let parts: EventParts
    private let state = Mutex(State())
    private let helpers = Mutex<(lease: ConsumerLease?, letters: LetterReplay?)>((nil, nil))

    /// Deliveries by how they ended.
    struct Counts: Sendable {
        var succeeded = 0
        var failed = 0
        var setAside = 0
    }

    private struct State {
        var pending: (any PendingWake)?
        var readUnderWay = CallID.none
        var readIsAbandoned = false
        /// Deliveries under way, by offset.
        var delivering: [Int64: CallID] = [:]
        var isGranted = false
        var counts: [UInt32: Counts] = [:]
        var whenStopped: (@Sendable () -> Void)?
    }

    init(_ consumer: EventConsumer, _ parts: EventParts) {
        self.consumer = consumer
        self.parts = parts
        loop = ActionLoop(
            EventDelivery(concurrency: consumer.concurrency) { consumer.subscription(for: $0).maxAttempts })
    }

    var offset: Int64 { loop.read(\.delivered) }
    /// By generation of the consumer.
    var counts: [UInt32: Counts] { state.withLock { $0.counts } }

    func start() {
        let lease = ConsumerLease("events/\(consumer.cursor)", parts) { [weak self] isGranted in
            guard let self else { return }
            state.withLock { $0.isGranted = isGranted }
            post(isGranted ? .granted : .revoked)
        }
        let letters = LetterReplay(consumer.cursor, parts) { [weak self] event, attempt, then in
            self?.deliver(event, attempt) { then($0) }
        }
        helpers.withLock { $0 = (lease, letters) }
        lease.start()
    }

    func stop(_ then: @escaping @Sendable () -> Void) {
        let pending = state.withLock { state in
            state.whenStopped = then
            return state.pending
        }
        pending?.cancel()
        post(.stop)
    }

    /// Cancels what is still under way after a stop.
    func giveUp() { post(.giveUp) }

    /// Waits no longer for what heeds no cancellation.
    func abandon() { post(.abandon) }

    /// What the store says of this consumer.
    func compare(_ status: EventsConsumerStatus) {
        if let settled = loop.read(\.settled), settled != status.offset { post(.suspected(status.offset)) }
        if status.deadLetters > 0, state.withLock({ $0.isGranted }) { helpers.withLock { $0.letters }?.look() }
    }

    private func post(_ input: EventDelivery.Input) { loop.post(input, perform) }

    private func perform(_ action: EventDelivery.Action) {
        switch action {
        case .ask: move(expected: -1, to: 0)
        case .move(let expected, let offset): move(expected: expected, to: offset)
        case .read(let offset): read(after: offset)
        case .deliver(let event, let attempt, let round):
            deliver(event, attempt) { [self] in post(.delivered(event.offset, $0, round: round)) }
        case .setAside(let event, let reason, let message, let attempts, let round):
            setAside(event, reason, message, attempts, round)
        case .wait(let milliseconds):
            let wake = parts.clock.wake(after: milliseconds) { [weak self] in self?.post(.proceed) }
            state.withLock { $0.pending = wake }
        case .rest(let offset, let milliseconds, let round):
            _ = parts.clock.wake(after: milliseconds) { [weak self] in self?.post(.retry(offset, round: round)) }
        case .abandonRead: abandonRead()
        case .abandonDeliveries:
            for call in state.withLock({ Array($0.delivering.values) }) where call != .none {
                parts.caller.calls.cancel(call)
            }
        case .stopped: stopped()
        }
    }

    private func stopped() {
        helpers.withLock { $0.lease }?.stop()
        let then = state.withLock { state in
            defer { state.whenStopped = nil }
            return state.whenStopped
        }
        then?()
    }

    private func move(expected: Int64, to offset: Int64) {
        let request = EventsMoveCursorRequest.with {
            $0.consumer = consumer.cursor
            $0.expected = expected
            $0.offset = offset
        }
        parts.caller.call(parts.storage, "theatre.events.v1.Log/MoveCursor", request, .system) {
            [self] (result: Result<EventsMoveCursorResponse, CallError>) in
            switch result {
            case .success(let response): post(.cursor(response.offset))
            case .failure(let error):
                warn("a consumer's cursor cannot be moved", error)
                post(.cursorFailed)
            }
        }
    }

    private func read(after offset: Int64) {
        let request = EventsReadRequest.with {
            $0.after = offset
            $0.types = consumer.types
            $0.limit = Self.page
            $0.waitMs = Self.longPoll
        }
        state.withLock { $0.readIsAbandoned = false }
        let deadline = parts.clock.monotonic + (UInt64(Self.longPoll) + 10_000) * 1_000_000
        let call = parts.caller.call(
            parts.storage, "theatre.events.v1.Log/Read", request, .system, deadline: deadline
        ) { [self] (result: Result<EventsReadResponse, CallError>) in
            let isAbandoned = state.withLock { state in
                state.readUnderWay = .none
                return state.readIsAbandoned
            }
            switch result {
            case .success(let response): post(.read(response.events, head: response.head))
            case .failure where isAbandoned: post(.read([], head: 0))
            case .failure(let error):
                warn("events cannot be read", error)
                post(.readFailed)
            }
        }
        // Where it has completed by now, cancelling it is harmless: the id is of no other call.
        let isAbandoned = state.withLock { state in
            state.readUnderWay = call
            return state.readIsAbandoned
        }
        if isAbandoned { parts.caller.calls.cancel(call) }
    }

    private func abandonRead() {
        let call = state.withLock { state in
            state.readIsAbandoned = true
            return state.readUnderWay
        }
        if call != .none { parts.caller.calls.cancel(call) }
    }

    private func warn(_ message: Logger.Message, _ error: CallError) {
        guard error.code != .cancelled else { return }
        var metadata = error.metadata
        metadata["instance"] = "\(consumer.instance)"
        parts.log.warning(message, metadata: metadata)
    }
}

extension EventRun {
    private func deliver(
        _ event: EventsEvent, _ attempt: Int, _ then: @escaping @Sendable (EventDelivery.Delivery) -> Void
    ) {
        let request = EventsDeliverRequest.with {
            $0.event = event
            $0.attempt = UInt32(clamping: attempt)
        }
        let context = CallContext(
            HostContext.with {
                $0.principalKind = .system
                $0.tenant = event.tenant
                $0.traceparent = event.traceparent
            })
        let timeout = UInt64(consumer.subscription(for: event.type).timeout) * 1_000_000
        state.withLock { $0.delivering[event.offset] = CallID.none }
        let generation = parts.caller.calls.generation(of: consumer.instance, EventConsumer.operation)
        let call = parts.caller.call(
            consumer.instance, EventConsumer.operation, request, context,
            deadline: parts.clock.monotonic + timeout, attempt: request.attempt
        ) { [self] (result: Result<EventsDeliverResponse, CallError>) in
            then(ended(event, attempt, generation, result.map { _ in }))
        }
        state.withLock { state in
            if state.delivering[event.offset] != nil { state.delivering[event.offset] = call }
        }
    }

    private func ended(
        _ event: EventsEvent, _ attempt: Int, _ generation: UInt32, _ result: Result<Void, CallError>
    ) -> EventDelivery.Delivery {
        let hasSucceeded = if case .success = result { true } else { false }
        state.withLock { state in
            state.delivering[event.offset] = nil
            state.counts[generation, default: Counts()].succeeded += hasSucceeded ? 1 : 0
            state.counts[generation, default: Counts()].failed += hasSucceeded ? 0 : 1
            state.counts.forgetOld()
        }
        guard case .failure(let error) = result else { return .taken }
        parts.log.debug(
            "an event was not taken and comes again",
            metadata: [
                "instance": "\(consumer.instance)", "event": "\(event.eventID)", "attempt": "\(attempt)",
                "reason": "\(error.reason)", "message": "\(error.message)",
            ])
        return .refused(
            reason: error.reason, message: String(error.message.prefix(1000)),
            counts: !EventParts.neverCame.contains(error.reason),
            isFinal: error.code == .invalidArgument && error.retry == .never)
    }

    private func setAside(
        _ event: EventsEvent, _ reason: String, _ message: String, _ attempts: Int, _ round: Int
    ) {
        let request = EventsAddDeadLetterRequest.with {
            $0.consumer = consumer.cursor
            $0.offset = event.offset
            $0.reason = reason
            $0.message = message
            $0.attempts = UInt32(clamping: attempts)
        }
        parts.caller.call(parts.storage, "theatre.events.v1.Log/AddDeadLetter", request, .system) {
            [self] (result: Result<EventsAddDeadLetterResponse, CallError>) in
            switch result {
            case .success:
                let generation = parts.caller.calls.generation(of: consumer.instance, EventConsumer.operation)
                state.withLock { $0.counts[generation, default: Counts()].setAside += 1 }
                parts.log.error(
                    "an event was refused for good and set aside; `theatre events dead` shows and replays it",
                    metadata: [
                        "instance": "\(consumer.instance)", "event": "\(event.eventID)", "type": "\(event.type)",
                        "attempts": "\(attempts)", "reason": "\(reason)",
                    ])
                post(.setAside(event.offset, true, round: round))
            case .failure(let error):
                warn("an event that is refused again and again cannot be set aside", error)
                post(.setAside(event.offset, false, round: round))
            }
        }
    }
}
