// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// Delivers a consumer's dead letters for which that was asked, one after the other: taken, they are gone; refused, they
/// stay and nothing is asked any more.
final class LetterReplay: Sendable {
    /// Delivers an event, for the attempt that is counted from 1.
    typealias Deliver = @Sendable (EventsEvent, Int, @escaping @Sendable (EventDelivery.Delivery) -> Void) -> Void

    private let consumer: String
    private let parts: EventParts
    private let deliver: Deliver
    private let isAtWork = Mutex(false)

    init(_ consumer: String, _ parts: EventParts, _ deliver: @escaping Deliver) {
        self.consumer = consumer
        self.parts = parts
        self.deliver = deliver
    }

    /// Looks whether one was asked for; does nothing while it is at it.
    func look() {
        let begins = isAtWork.withLock { isAtWork in
            defer { isAtWork = true }
            return !isAtWork
        }
        if begins { list() }
    }

    private func end() { isAtWork.withLock { $0 = false } }

    private func list() {
        let request = EventsListDeadLettersRequest.with {
            $0.consumer = consumer
            $0.requested = true
            $0.limit = 100
        }
        parts.caller.call(parts.storage, "theatre.events.v1.Log/ListDeadLetters", request, .system) {
            [self] (result: Result<EventsListDeadLettersResponse, CallError>) in
            switch result {
            case .success(let response): next(response.letters[...])
            case .failure(let error):
                parts.log.warning("dead letters cannot be read", metadata: error.metadata)
                end()
            }
        }
    }

    private func next(_ letters: ArraySlice<EventsDeadLetter>) {
        guard let letter = letters.first else { return end() }
        let rest = letters.dropFirst()
        deliver(letter.event, Int(letter.attempts) + 1) { [self] delivery in
            switch delivery {
            case .taken: drop(letter, rest)
            case .refused(_, _, counts: false, _): end()
            case .refused(let reason, let message, _, _): keep(letter, reason, message, rest)
            }
        }
    }

    private func drop(_ letter: EventsDeadLetter, _ rest: ArraySlice<EventsDeadLetter>) {
        let request = EventsResolveDeadLettersRequest.with {
            $0.consumer = consumer
            $0.offsets = [letter.event.offset]
            $0.resolution = .drop
        }
        parts.caller.call(parts.storage, "theatre.events.v1.Log/ResolveDeadLetters", request, .system) {
            [self] (result: Result<EventsResolveDeadLettersResponse, CallError>) in resolved(result.map { _ in }, rest)
        }
    }

    private func keep(
        _ letter: EventsDeadLetter, _ reason: String, _ message: String, _ rest: ArraySlice<EventsDeadLetter>
    ) {
        let request = EventsAddDeadLetterRequest.with {
            $0.consumer = consumer
            $0.offset = letter.event.offset
            $0.reason = reason
            $0.message = message
            $0.attempts = letter.attempts + 1
        }
        parts.caller.call(parts.storage, "theatre.events.v1.Log/AddDeadLetter", request, .system) {
            [self] (result: Result<EventsAddDeadLetterResponse, CallError>) in resolved(result.map { _ in }, rest)
        }
    }

    /// Where the store fails, the letter is delivered again at the next look.
    private func resolved(_ result: Result<Void, CallError>, _ rest: ArraySlice<EventsDeadLetter>) {
        guard case .failure(let error) = result else { return next(rest) }
        parts.log.warning("a dead letter cannot be resolved", metadata: error.metadata)
        end()
    }
}
