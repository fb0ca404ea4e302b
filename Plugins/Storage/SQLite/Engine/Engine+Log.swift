// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts

/// The event log.
extension Engine {
    /// Stores events that belong to no transaction.
    func append(_ request: EventsAppendRequest, for scope: CallerScope) async throws -> EventsAppendResponse {
        let last = try await write(for: scope) { connection in
            try EventRows.append(
                request.events, scope.context, at: self.environment.now(), self.environment, on: connection)
        }
        committed(last)
        return .with { $0.lastOffset = last }
    }

    /// Events after an offset; waits for the first one as long as asked, holding no thread meanwhile.
    func read(_ request: EventsReadRequest, for scope: CallerScope) async throws -> EventsReadResponse {
        guard request.limit <= 1000, request.waitMs <= 30_000, request.types.count <= 100, request.channels.count <= 100
        else {
            throw SQLiteError(
                .invalidArgument, "sql.event_read",
                "A limit up to 1000, a wait up to 30000 ms, up to 100 types and channels are read.")
        }
        let bytes = options.answerBytes
        let end = monotonicNanoseconds() + UInt64(request.waitMs) * 1_000_000
        var request = request
        while true {
            let asked = request
            let response = try await readers.run(for: scope) { try EventRows.read(asked, bytes: bytes, on: $0) }
            let now = monotonicNanoseconds()
            guard response.events.isEmpty, now < end, !Task.isCancelled else { return response }
            await head.wait(beyond: max(response.head, request.after), for: .nanoseconds(Int64(end - now)))
            // Nothing up to the head matched, so the next look begins there.
            request.after = max(request.after, response.head)
        }
    }

    /// Moves a consumer's cursor, or only asks for it.
    func moveCursor(_ request: EventsMoveCursorRequest, for scope: CallerScope) async throws -> EventsMoveCursorResponse
    {
        guard !request.consumer.isEmpty, request.expected >= -1, request.offset >= 0 else {
            throw SQLiteError(
                .invalidArgument, "sql.cursor",
                "A consumer, an expected offset of at least -1 and an offset of at least 0 are needed.")
        }
        if request.expected == -1 {
            return try await readers.run(for: scope) { try Self.cursor(request.consumer, on: $0) }
        }
        return try await write(for: scope) { connection in
            let current = try Self.cursor(request.consumer, on: connection)
            guard current.offset == request.expected else { return current }
            try connection.execute(
                """
                INSERT INTO host__cursors (consumer, position, moved_at) VALUES (?1, ?2, ?3)
                ON CONFLICT (consumer) DO UPDATE SET position = excluded.position, moved_at = excluded.moved_at
                """, [SQLValue(request.consumer), SQLValue(request.offset), SQLValue(self.environment.now())])
            return .with { $0.offset = request.offset }
        }
    }

    private static func cursor(_ consumer: String, on connection: Connection) throws -> EventsMoveCursorResponse {
        let rows = try connection.rows("SELECT position FROM host__cursors WHERE consumer = ?1", [SQLValue(consumer)])
        return .with { $0.offset = rows.first?.values.first?.integer ?? 0 }
    }
}
