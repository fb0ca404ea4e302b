// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
public import TheatreContracts

extension EventRows {
    /// The oldest position still kept; 0 where the log is empty.
    static let oldest = "SELECT COALESCE(MIN(position), 0) FROM host__events"

    /// The last position ever given, 0 without any. On PostgreSQL some below it may not be decided yet.
    public static func head(_ dialect: Dialect) -> HostPlan<Int64> {
        HostPlan([HostStatement(headSQL(dialect))]) { (results: [SQLRows]) throws(StorageError) in
            results[0].rows.first?.values.first?.integer ?? 0
        }
    }

    static func headSQL(_ dialect: Dialect) -> String {
        switch dialect {
        case .sqlite: "SELECT seq FROM sqlite_sequence WHERE name = 'host__events'"
        case .postgresql: "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM host__events_position"
        }
    }

    /// Refuses what is beyond the bounds of the contract.
    public static func check(_ request: EventsReadRequest) throws(StorageError) {
        guard request.limit <= 1000, request.waitMs <= 30_000, request.types.count <= 100, request.channels.count <= 100
        else {
            throw StorageError(
                .invalidArgument, "sql.event_read",
                "A limit up to 1000, a wait up to 30000 ms, up to 100 types and channels are read.")
        }
    }

    /// Events after an offset as `request` asks for them, in one snapshot.
    ///
    /// Nothing beyond `head` is given; without it the engine's own last position is the head. Where more match than fit
    /// in the limit or in `bytes`, the response's `head` is the last one given, so that a reader that goes on from there
    /// misses none.
    public static func read(
        _ request: EventsReadRequest, head: Int64? = nil, bytes: Int, _ dialect: Dialect
    ) -> HostPlan<EventsReadResponse> {
        let limit = request.limit == 0 ? 100 : min(1000, Int(request.limit))
        let headStatement = head.map { HostStatement("SELECT CAST(?1 AS BIGINT)", [SQLValue($0)]) }
        return HostPlan([
            headStatement ?? HostStatement(headSQL(dialect)), HostStatement(oldest),
            selection(request, through: head, limit: limit),
        ]) { (results: [SQLRows]) throws(StorageError) in
            var response = EventsReadResponse()
            response.head = results[0].rows.first?.values.first?.integer ?? 0
            let oldest = results[1].rows.first?.values.first?.integer ?? 0
            response.oldest = oldest == 0 ? response.head + 1 : oldest
            let rows = results[2].rows
            var size = 0
            for row in rows {
                let event = event(row.values[...])
                size += event.data.utf8.count + event.type.utf8.count + event.aggregate.utf8.count + 400
                if size > bytes, !response.events.isEmpty { break }
                response.events.append(event)
            }
            if response.events.count < rows.count || rows.count == limit, let last = response.events.last {
                response.head = last.offset
            }
            return response
        }
    }

    private static func selection(_ request: EventsReadRequest, through head: Int64?, limit: Int) -> HostStatement {
        var values = [SQLValue(request.after), SQLValue(Int64(limit))]
        func bind(_ value: SQLValue) -> String {
            values.append(value)
            return "?\(values.count)"
        }
        var conditions = ["position > ?1"]
        if let head { conditions.append("position <= \(bind(SQLValue(head)))") }
        if !request.aggregate.isEmpty { conditions.append("aggregate = \(bind(SQLValue(request.aggregate)))") }
        if !request.types.isEmpty {
            let tests = request.types.map { type in
                // "draft." to "draft/", the next byte, holds every type with that prefix.
                type.hasSuffix(".")
                    ? "(type >= \(bind(SQLValue(type))) AND type < \(bind(SQLValue(type.dropLast() + "/"))))"
                    : "type = \(bind(SQLValue(type)))"
            }
            conditions.append("(\(tests.joined(separator: " OR ")))")
        }
        if !request.channels.isEmpty {
            let channels = request.channels.map { bind(SQLValue($0)) }
            conditions.append("channel IN (\(channels.joined(separator: ", ")))")
        }
        let sql = """
            SELECT position, \(columns)
            FROM host__events WHERE \(conditions.joined(separator: " AND ")) ORDER BY position LIMIT ?2
            """
        return HostStatement(sql, values)
    }

    /// An event of a row that begins with `position` and goes on as ``columns``.
    static func event(_ values: ArraySlice<SQLValue>) -> EventsEvent {
        let values = Array(values)
        return .with {
            $0.offset = values[0].integer
            $0.eventID = values[1].text
            $0.type = values[2].text
            $0.aggregate = values[3].text
            $0.data = values[4].text
            $0.channel = values[5].text
            $0.at = values[6].integer
            $0.tenant = values[7].text
            $0.source = values[8].text
            $0.traceparent = values[9].text
            $0.principal = values[10].text
        }
    }

    /// Events that one call of Trim looks at, where it is not told how many.
    private static let trimStep: Int64 = 1000

    /// Removes the oldest events, those stored before a time and passed by every consumer: at most `limit`.
    ///
    /// The response's `oldest` is what is left.
    public static func trim(_ request: EventsTrimRequest) throws(StorageError) -> HostPlan<EventsTrimResponse> {
        guard request.limit <= 10_000 else {
            throw StorageError(.invalidArgument, "sql.trim", "Up to 10000 events are removed at once.")
        }
        let limit = request.limit == 0 ? trimStep : Int64(request.limit)
        return HostPlan([
            HostStatement(
                """
                DELETE FROM host__events WHERE position IN (
                    SELECT position FROM (SELECT position, at FROM host__events ORDER BY position LIMIT ?2) AS oldest
                    WHERE at < ?1
                        AND position <= COALESCE((SELECT MIN(position) FROM host__cursors), 9223372036854775807))
                """, [SQLValue(request.before), SQLValue(limit)]),
            HostStatement(oldest),
        ]) { (results: [SQLRows]) throws(StorageError) in
            .with {
                $0.removed = results[0].changed
                $0.oldest = results[1].rows.first?.values.first?.integer ?? 0
            }
        }
    }

    /// Counts what repeated trims would remove: all of each step until the first of which something is left, and of that
    /// one what would go.
    public static func previewTrim(
        _ request: EventsPreviewTrimRequest
    ) throws(StorageError) -> HostPlan<EventsPreviewTrimResponse> {
        let limit = request.limit == 0 ? 100_000 : Int64(request.limit)
        guard (trimStep...100_000).contains(limit), limit % trimStep == 0, request.after >= 0 else {
            throw StorageError(
                .invalidArgument, "sql.trim", "1000 to 100000 events are counted at once, by the thousand.")
        }
        return HostPlan([
            HostStatement(
                """
                WITH looked AS (
                    SELECT position, (ROW_NUMBER() OVER (ORDER BY position) - 1) / \(trimStep) AS step,
                        CASE WHEN at < ?1 AND position <= COALESCE(
                            (SELECT MIN(position) FROM host__cursors), 9223372036854775807) THEN 1 ELSE 0 END AS goes
                    FROM (SELECT position, at FROM host__events WHERE position > ?2 ORDER BY position LIMIT ?3) AS oldest
                )
                SELECT COUNT(CASE WHEN goes = 1 AND step <= COALESCE(
                        (SELECT MIN(step) FROM looked WHERE goes = 0), 9223372036854775807) THEN 1 END),
                    CASE WHEN COUNT(*) = ?3 AND MIN(goes) = 1 THEN MAX(position) ELSE 0 END
                FROM looked
                """, [SQLValue(request.before), SQLValue(request.after), SQLValue(limit)])
        ]) { (results: [SQLRows]) throws(StorageError) in
            guard let values = results[0].rows.first?.values, values.count == 2 else {
                throw StorageError(.internal, "sql.engine", "A count has no row.")
            }
            return .with {
                $0.removable = values[0].integer
                $0.next = values[1].integer
            }
        }
    }
}
