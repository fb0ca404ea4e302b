// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts

/// Rows of the event log.
enum EventRows {
    /// Adds `events` and gives the last one's offset, 0 without any.
    static func append(
        _ events: [EventsNewEvent], _ context: HostContext, at now: Int64, _ environment: EngineEnvironment,
        on connection: Connection
    ) throws(SQLiteError) -> Int64 {
        guard events.count <= 100 else {
            throw SQLiteError(
                .invalidArgument, "sql.event", "\(events.count) events are too many; 100 go at once.", detail: "/events"
            )
        }
        var last: Int64 = 0
        for (index, event) in events.enumerated() {
            try check(event, at: "/events/\(index)", on: connection)
            try checkGrant(event, context, at: "/events/\(index)")
            let rows = try connection.rows(
                """
                INSERT INTO host__events (event_id, type, aggregate, data, channel, at, tenant, source, traceparent, principal)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING position
                """,
                [
                    SQLValue(environment.eventID(now)), SQLValue(event.type), SQLValue(event.aggregate),
                    SQLValue(event.data), SQLValue(event.channel), SQLValue(now), SQLValue(context.tenant),
                    SQLValue(context.caller), SQLValue(context.traceparent), SQLValue(context.principal),
                ])
            last = rows.first?.values.first?.integer ?? last
        }
        return last
    }

    /// An instance publishes the types that its manifest asks for and its deployment grants; the host says which.
    private static func checkGrant(
        _ event: EventsNewEvent, _ context: HostContext, at pointer: String
    ) throws(SQLiteError) {
        let first = event.type.prefix { $0 != "." }
        guard context.caller != "host", !context.publishes.split(separator: ",").contains(first) else { return }
        throw SQLiteError(
            .permissionDenied, "sql.event_not_granted",
            "\(context.caller) may not publish \(event.type.prefix(80)); add \"\(first.prefix(40))\" to `publishes` in its manifest and its grants.",
            detail: "\(pointer)/type")
    }

    private static func check(_ event: EventsNewEvent, at pointer: String, on connection: Connection)
        throws(SQLiteError)
    {
        guard isType(event.type) else {
            throw SQLiteError(
                .invalidArgument, "sql.event",
                "\"\(event.type.prefix(80))\" is no type; lower-case words with dots between are.",
                detail: "\(pointer)/type")
        }
        guard event.data.utf8.count <= 262_144 else {
            throw SQLiteError(
                .invalidArgument, "sql.event", "The data is larger than 256 KiB; store it and send its id.",
                detail: "\(pointer)/data")
        }
        let kind = try connection.rows(
            "SELECT CASE WHEN json_valid(?1) THEN json_type(?1) ELSE '' END", [SQLValue(event.data)])
        guard kind.first?.values.first?.text == "object" else {
            throw SQLiteError(
                .invalidArgument, "sql.event", "The data must be one JSON object.", detail: "\(pointer)/data")
        }
    }

    private static func isType(_ type: String) -> Bool {
        let words = type.split(separator: ".", omittingEmptySubsequences: false)
        return words.count > 1 && type.utf8.count <= 200
            && words.allSatisfy { word in
                !word.isEmpty
                    && word.utf8.allSatisfy {
                        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
                    }
            }
    }

    /// The last offset ever given, 0 without any.
    static func head(_ connection: Connection) throws(SQLiteError) -> Int64 {
        try connection.rows("SELECT seq FROM sqlite_sequence WHERE name = 'host__events'").first?.values.first?.integer
            ?? 0
    }

    /// The first offset that is still there.
    private static func oldest(_ connection: Connection) throws(SQLiteError) -> Int64? {
        let rows = try connection.rows("SELECT position FROM host__events ORDER BY position LIMIT 1")
        return rows.first?.values.first?.integer
    }

    /// Events after an offset as `request` asks for them.
    ///
    /// Where more match than fit, `head` is the last one given, so that a reader that goes on from `head` misses none.
    static func read(_ request: EventsReadRequest, bytes: Int, on connection: Connection) throws -> EventsReadResponse {
        let limit = request.limit == 0 ? 100 : min(1000, Int(request.limit))
        return try connection.transaction("DEFERRED") {
            var response = EventsReadResponse()
            response.head = try head(connection)
            response.oldest = try oldest(connection) ?? response.head + 1
            let (sql, values) = selection(request, limit: limit)
            var size = 0
            let rows = try connection.rows(sql, values)
            for row in rows {
                let event = event(row.values)
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

    private static func selection(_ request: EventsReadRequest, limit: Int) -> (String, [SQLValue]) {
        var values = [SQLValue(request.after), SQLValue(Int64(limit))]
        func bind(_ text: String) -> String {
            values.append(SQLValue(text))
            return "?\(values.count)"
        }
        var conditions = ["position > ?1"]
        if !request.types.isEmpty {
            let tests = request.types.map { type in
                // "draft." to "draft/", the next byte, holds every type with that prefix.
                type.hasSuffix(".")
                    ? "(type >= \(bind(type)) AND type < \(bind(type.dropLast() + "/")))" : "type = \(bind(type))"
            }
            conditions.append("(\(tests.joined(separator: " OR ")))")
        }
        if !request.channels.isEmpty {
            conditions.append("channel IN (\(request.channels.map(bind).joined(separator: ", ")))")
        }
        let sql = """
            SELECT position, event_id, type, aggregate, data, channel, at, tenant, source, traceparent, principal
            FROM host__events WHERE \(conditions.joined(separator: " AND ")) ORDER BY position LIMIT ?2
            """
        return (sql, values)
    }

    private static func event(_ values: [SQLValue]) -> EventsEvent {
        .with {
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
}
