// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// The event log.
extension Engine {
    /// Stores events that belong to no transaction.
    func append(_ request: EventsAppendRequest, for scope: CallerScope) async throws -> EventsAppendResponse {
        let now = environment.now()
        let statements = try EventRows.append(
            request.events, scope.context, at: now, eventID: { self.environment.newID("evt", $0) }, .sqlite)
        let last = try await write(for: scope) { connection in
            EventRows.lastPosition(try statements.map { try connection.run($0) })
        }
        committed(last)
        return .with { $0.lastOffset = last }
    }

    /// Events after an offset; waits for the first one as long as asked, holding no thread meanwhile.
    func read(_ request: EventsReadRequest, for scope: CallerScope) async throws -> EventsReadResponse {
        try EventRows.check(request)
        let end = monotonicNanoseconds() + UInt64(request.waitMs) * 1_000_000
        var request = request
        while true {
            let response = try await look(EventRows.read(request, bytes: options.answerBytes, .sqlite), for: scope)
            let now = monotonicNanoseconds()
            guard response.events.isEmpty, now < end else { return response }
            guard !Task.isCancelled else { throw StorageError.cancelled }
            head.advance(to: response.head)
            // Other processes' events are noticed by looking again.
            let wait = min(end - now, options.pollNanoseconds)
            await head.wait(beyond: max(response.head, request.after), for: .nanoseconds(Int64(wait)))
            // Nothing up to the head matched, so the next look begins there.
            request.after = max(request.after, response.head)
        }
    }

    /// Moves a consumer's cursor, or only asks for it.
    func moveCursor(_ request: EventsMoveCursorRequest, for scope: CallerScope) async throws -> EventsMoveCursorResponse
    {
        let plan = try CursorRows.move(request, at: environment.now())
        return request.expected == -1 ? try await look(plan, for: scope) : try await write(plan, for: scope)
    }

    /// Every consumer that has a cursor.
    func listConsumers(for scope: CallerScope) async throws -> EventsListConsumersResponse {
        try await look(CursorRows.list(.sqlite), for: scope)
    }

    /// Sets an event aside.
    func addDeadLetter(_ request: EventsAddDeadLetterRequest, for scope: CallerScope) async throws
        -> EventsAddDeadLetterResponse
    {
        try await write(DeadLetterRows.add(request, at: environment.now()), for: scope)
    }

    /// Events set aside.
    func listDeadLetters(_ request: EventsListDeadLettersRequest, for scope: CallerScope) async throws
        -> EventsListDeadLettersResponse
    {
        try await look(DeadLetterRows.list(request), for: scope)
    }

    /// Asks for another delivery, or forgets.
    func resolveDeadLetters(_ request: EventsResolveDeadLettersRequest, for scope: CallerScope) async throws
        -> EventsResolveDeadLettersResponse
    {
        try await write(DeadLetterRows.resolve(request), for: scope)
    }

    /// Removes the oldest events.
    func trim(_ request: EventsTrimRequest, for scope: CallerScope) async throws -> EventsTrimResponse {
        try await write(EventRows.trim(request), for: scope)
    }

    /// Runs a plan that only reads, on one snapshot.
    func look<Output: Sendable>(_ plan: HostPlan<Output>, for scope: CallerScope) async throws -> Output {
        try await readers.run(for: scope) { connection in
            try connection.transaction("DEFERRED") { try connection.run(plan) }
        }
    }

    /// Runs a plan in a transaction.
    func write<Output: Sendable>(_ plan: HostPlan<Output>, for scope: CallerScope) async throws -> Output {
        try await write(for: scope) { connection in try connection.run(plan) }
    }
}
