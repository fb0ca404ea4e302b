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
    private let loop = ActionLoop(EventDelivery())
    private let caller: UnaryCaller
    private let storage: String
    private let clock: any ServiceClock
    private let log: Logger
    private let state = Mutex(State())

    private struct State {
        var pending: (any PendingWake)?
        var readUnderWay = CallID.none
        var readIsAbandoned = false
        var succeeded = 0
        var failed = 0
        var whenStopped: (@Sendable () -> Void)?
    }

    init(
        _ consumer: EventConsumer, _ caller: UnaryCaller, _ storage: String, _ clock: any ServiceClock, _ log: Logger
    ) {
        self.consumer = consumer
        self.caller = caller
        self.storage = storage
        self.clock = clock
        self.log = log
    }

    var offset: Int64 { loop.read(\.delivered) }

    var deliveries: [MetricSample] {
        let (succeeded, failed) = state.withLock { ($0.succeeded, $0.failed) }
        return [
            MetricSample(["instance": consumer.instance, "outcome": "succeeded"], Double(succeeded)),
            MetricSample(["instance": consumer.instance, "outcome": "failed"], Double(failed)),
        ]
    }

    func start() { post(.proceed) }

    func stop(_ then: @escaping @Sendable () -> Void) {
        let pending = state.withLock { state in
            state.whenStopped = then
            return state.pending
        }
        pending?.cancel()
        post(.stop)
    }

    private func post(_ input: EventDelivery.Input) { loop.post(input, perform) }

    private func perform(_ action: EventDelivery.Action) {
        switch action {
        case .ask: move(expected: -1, to: 0)
        case .move(let expected, let offset): move(expected: expected, to: offset)
        case .read(let offset): read(after: offset)
        case .deliver(let event, let attempt): deliver(event, attempt)
        case .wait(let milliseconds):
            let wake = clock.wake(after: milliseconds) { [weak self] in self?.post(.proceed) }
            state.withLock { $0.pending = wake }
        case .complain(let event, let attempts):
            log.error(
                "an event is refused again and again and blocks its consumer",
                metadata: [
                    "instance": "\(consumer.instance)", "event": "\(event.eventID)", "type": "\(event.type)",
                    "attempts": "\(attempts)",
                ])
        case .abandonRead: abandonRead()
        case .stopped:
            let then = state.withLock { state in
                defer { state.whenStopped = nil }
                return state.whenStopped
            }
            then?()
        }
    }

    private func move(expected: Int64, to offset: Int64) {
        let request = EventsMoveCursorRequest.with {
            $0.consumer = consumer.cursor
            $0.expected = expected
            $0.offset = offset
        }
        caller.call(storage, "theatre.events.v1.Log/MoveCursor", request, .system) {
            [self] (result: Result<EventsMoveCursorResponse, CallError>) in
            switch result {
            case .success(let response): post(.cursor(response.offset))
            case .failure(let error): fail("a consumer's cursor cannot be moved", error)
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
        let deadline = clock.monotonic + (UInt64(Self.longPoll) + 10_000) * 1_000_000
        let call = caller.call(storage, "theatre.events.v1.Log/Read", request, .system, deadline: deadline) {
            [self] (result: Result<EventsReadResponse, CallError>) in
            state.withLock { $0.readUnderWay = .none }
            switch result {
            case .success(let response): post(.read(response.events, head: response.head))
            case .failure(let error): fail("events cannot be read", error)
            }
        }
        // Where it has completed by now, cancelling it is harmless: the id is of no other call.
        let isAbandoned = state.withLock { state in
            state.readUnderWay = call
            return state.readIsAbandoned
        }
        if isAbandoned { caller.calls.cancel(call) }
    }

    private func abandonRead() {
        let call = state.withLock { state in
            state.readIsAbandoned = true
            return state.readUnderWay
        }
        if call != .none { caller.calls.cancel(call) }
    }

    private func deliver(_ event: EventsEvent, _ attempt: Int) {
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
        caller.call(consumer.instance, EventConsumer.operation, request, context, attempt: request.attempt) {
            [self] (result: Result<EventsDeliverResponse, CallError>) in
            switch result {
            case .success:
                state.withLock { $0.succeeded += 1 }
                post(.delivered(true))
            case .failure(let error):
                state.withLock { $0.failed += 1 }
                log.debug(
                    "an event was not taken and comes again",
                    metadata: [
                        "instance": "\(consumer.instance)", "event": "\(event.eventID)", "attempt": "\(attempt)",
                        "reason": "\(error.reason)", "message": "\(error.message)",
                    ])
                post(.delivered(false))
            }
        }
    }

    private func fail(_ message: Logger.Message, _ error: CallError) {
        if error.code != .cancelled {
            var metadata = error.metadata
            metadata["instance"] = "\(consumer.instance)"
            log.warning(message, metadata: metadata)
        }
        post(.failed)
    }
}
