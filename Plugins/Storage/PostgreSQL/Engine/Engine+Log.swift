// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// The event log.
extension Engine {
    /// Stores events that belong to no transaction.
    func append(_ request: EventsAppendRequest, for scope: CallerScope) async throws(StorageError)
        -> EventsAppendResponse
    {
        let statements = try EventRows.append(
            request.events, scope.context, at: environment.now(), eventID: { self.environment.newID("evt", $0) },
            .postgresql)
        let last = try await write(
            HostPlan(statements) { (results: [SQLRows]) throws(StorageError) in EventRows.lastPosition(results) })
        committed(events: last > 0)
        return .with { $0.lastOffset = last }
    }

    /// Events after an offset, up to the head; waits for the first one as long as asked, holding no thread meanwhile.
    func read(_ request: EventsReadRequest, for scope: CallerScope) async throws(StorageError) -> EventsReadResponse {
        try EventRows.check(request)
        let end = monotonicMilliseconds() + UInt64(request.waitMs)
        var request = request
        while true {
            let head = try await knownHead()
            let response = try await look(
                EventRows.read(request, head: head, bytes: options.answerBytes, .postgresql))
            let now = monotonicMilliseconds()
            guard response.events.isEmpty, now < end else { return response }
            guard !Task.isCancelled else { throw StorageError.cancelled }
            await tail.head.wait(beyond: max(response.head, request.after), for: .milliseconds(Int64(end - now)))
            // Nothing up to the head matched, so the next look begins there.
            request.after = max(request.after, response.head)
        }
    }

    /// The head, once it is known after a start or a loss.
    private func knownHead() async throws(StorageError) -> Int64 {
        if tail.head.head >= 0 { return tail.head.head }
        await tail.head.wait(beyond: -1, for: .seconds(5))
        guard !Task.isCancelled else { throw .cancelled }
        guard tail.head.head >= 0 else {
            throw StorageError(
                .unavailable, "sql.log_unknown", "The end of the log is not known yet; try again.", retry: .safe)
        }
        return tail.head.head
    }

    /// Moves a consumer's cursor, or only asks for it.
    func moveCursor(_ request: EventsMoveCursorRequest) async throws(StorageError) -> EventsMoveCursorResponse {
        let plan = try CursorRows.move(request, at: environment.now())
        return request.expected == -1 ? try await look(plan) : try await write(plan)
    }

    /// Every consumer that has a cursor.
    func listConsumers() async throws(StorageError) -> EventsListConsumersResponse {
        try await look(CursorRows.list(head: try await knownHead(), .postgresql))
    }
}
