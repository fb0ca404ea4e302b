// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
public import TheatreContracts

/// Events that a consumer refused for good.
public enum DeadLetterRows {
    /// Sets an event aside, with a copy of it; said again, only the reason is new and no delivery is asked for any more.
    ///
    /// NOT_FOUND `sql.unknown_event` where the log does not have it.
    public static func add(
        _ request: EventsAddDeadLetterRequest, at now: Int64
    ) throws(StorageError) -> HostPlan<EventsAddDeadLetterResponse> {
        guard !request.consumer.isEmpty, request.offset > 0 else {
            throw StorageError(.invalidArgument, "sql.dead_letter", "A consumer and an offset are needed.")
        }
        let why = [
            SQLValue(request.consumer), SQLValue(request.offset), SQLValue(request.reason),
            SQLValue(String(request.message.prefix(2000))), SQLValue(Int64(request.attempts)), SQLValue(now),
        ]
        let columns = EventRows.columns
        return HostPlan([
            HostStatement(
                """
                UPDATE host__dead_letters SET reason = ?3, message = ?4, attempts = ?5, dead_at = ?6, requested = 0
                WHERE consumer = ?1 AND position = ?2
                """, why),
            HostStatement(
                """
                INSERT INTO host__dead_letters (consumer, position, \(columns), reason, message, attempts, dead_at, requested)
                SELECT CAST(?1 AS TEXT), position, \(columns), CAST(?3 AS TEXT), CAST(?4 AS TEXT), CAST(?5 AS BIGINT),
                    CAST(?6 AS BIGINT), 0
                FROM host__events WHERE position = ?2
                ON CONFLICT (consumer, position) DO NOTHING
                """, why),
            HostStatement(
                "SELECT 1 FROM host__dead_letters WHERE consumer = ?1 AND position = ?2", Array(why.prefix(2))),
        ]) { (results: [SQLRows]) throws(StorageError) in
            guard !results[2].rows.isEmpty else {
                throw StorageError(.notFound, "sql.unknown_event", "The log has no event at \(request.offset).")
            }
            return EventsAddDeadLetterResponse()
        }
    }

    /// Events set aside, by offset.
    public static func list(
        _ request: EventsListDeadLettersRequest
    ) throws(StorageError) -> HostPlan<EventsListDeadLettersResponse> {
        guard request.limit <= 1000 else {
            throw StorageError(.invalidArgument, "sql.dead_letter", "Up to 1000 are listed at once.")
        }
        var values = [SQLValue(request.after), SQLValue(request.limit == 0 ? 100 : Int64(request.limit))]
        var conditions = ["position > ?1"]
        if request.requested { conditions.append("requested = 1") }
        if !request.consumer.isEmpty {
            values.append(SQLValue(request.consumer))
            conditions.append("consumer = ?3")
        }
        let sql = """
            SELECT consumer, position, \(EventRows.columns), reason, message, attempts, dead_at, requested
            FROM host__dead_letters WHERE \(conditions.joined(separator: " AND ")) ORDER BY position, consumer LIMIT ?2
            """
        return HostPlan([HostStatement(sql, values)]) { (results: [SQLRows]) throws(StorageError) in
            .with { $0.letters = results[0].rows.map { letter($0.values) } }
        }
    }

    private static func letter(_ values: [SQLValue]) -> EventsDeadLetter {
        .with {
            $0.consumer = values[0].text
            $0.event = EventRows.event(values[1...11])
            $0.reason = values[12].text
            $0.message = values[13].text
            $0.attempts = UInt32(clamping: values[14].integer)
            $0.at = values[15].integer
            $0.requested = values[16].integer == 1
        }
    }

    /// Asks for another delivery of events set aside, or forgets them.
    public static func resolve(
        _ request: EventsResolveDeadLettersRequest
    ) throws(StorageError) -> HostPlan<EventsResolveDeadLettersResponse> {
        guard !request.consumer.isEmpty, request.offsets.count <= 500 else {
            throw StorageError(.invalidArgument, "sql.dead_letter", "A consumer and up to 500 offsets are needed.")
        }
        let start: String
        switch request.resolution {
        case .replay: start = "UPDATE host__dead_letters SET requested = 1"
        case .drop: start = "DELETE FROM host__dead_letters"
        default: throw StorageError(.invalidArgument, "sql.dead_letter", "A resolution is REPLAY or DROP.")
        }
        let numbers = request.offsets.indices.map { "?\($0 + 2)" }.joined(separator: ", ")
        let chosen = request.offsets.isEmpty ? "" : " AND position IN (\(numbers))"
        return HostPlan([
            HostStatement(
                "\(start) WHERE consumer = ?1\(chosen)",
                [SQLValue(request.consumer)] + request.offsets.map { SQLValue($0) })
        ]) { (results: [SQLRows]) throws(StorageError) in .with { $0.changed = results[0].changed } }
    }
}
