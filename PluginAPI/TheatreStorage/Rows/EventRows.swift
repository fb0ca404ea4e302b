// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// Rows of the event log.
public enum EventRows {
    /// Where the values of ``append(_:_:at:eventID:_:)`` have the id and the aggregate.
    public static let idPlace = 0
    /// As ``idPlace``.
    public static let aggregatePlace = 2
    static let columns = "event_id, type, aggregate, data, channel, at, tenant, source, traceparent, principal"

    /// Adds `events`, one statement each, and each gives its position in one row.
    ///
    /// `eventID` makes an id for a time. PERMISSION_DENIED `sql.event_not_granted`, INVALID_ARGUMENT `sql.event`.
    public static func append(
        _ events: [EventsNewEvent], _ context: HostContext, at now: Int64, eventID: (Int64) -> String,
        _ dialect: Dialect
    ) throws(StorageError) -> [HostStatement] {
        guard events.count <= 100 else {
            throw StorageError(
                .invalidArgument, "sql.event", "\(events.count) events are too many; 100 go at once.", detail: "/events"
            )
        }
        var statements: [HostStatement] = []
        for (index, event) in events.enumerated() {
            try check(event, at: "/events/\(index)")
            try checkGrant(event, context, at: "/events/\(index)")
            statements.append(
                HostStatement(
                    insertion(dialect),
                    [
                        SQLValue(eventID(now)), SQLValue(event.type), SQLValue(event.aggregate),
                        SQLValue(event.data), SQLValue(event.channel), SQLValue(now), SQLValue(context.tenant),
                        SQLValue(context.caller), SQLValue(context.traceparent), SQLValue(context.principal),
                    ]))
        }
        return statements
    }

    /// The last position that the statements of ``append(_:_:at:eventID:_:)`` gave, 0 without any.
    public static func lastPosition(_ results: some Sequence<SQLRows>) -> Int64 {
        results.reduce(0) { max($0, $1.rows.first?.values.first?.integer ?? 0) }
    }

    /// On PostgreSQL the transaction has its number before the event has its position, so that a reader who knows of
    /// every transaction below a position knows of every event below it.
    private static func insertion(_ dialect: Dialect) -> String {
        switch dialect {
        case .sqlite:
            """
            INSERT INTO host__events (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING position
            """
        case .postgresql:
            """
            WITH begun AS MATERIALIZED (SELECT pg_current_xact_id())
            INSERT INTO host__events (position, \(columns))
            SELECT nextval('host__events_position'), CAST(?1 AS TEXT), CAST(?2 AS TEXT), CAST(?3 AS TEXT),
                CAST(?4 AS TEXT), CAST(?5 AS TEXT), CAST(?6 AS BIGINT), CAST(?7 AS TEXT), CAST(?8 AS TEXT),
                CAST(?9 AS TEXT), CAST(?10 AS TEXT)
            FROM begun RETURNING position
            """
        }
    }

    /// An instance publishes the types that its manifest asks for and its deployment grants; the host says which.
    private static func checkGrant(
        _ event: EventsNewEvent, _ context: HostContext, at pointer: String
    ) throws(StorageError) {
        let first = event.type.prefix { $0 != "." }
        guard context.caller != "host", !context.publishes.split(separator: ",").contains(first) else { return }
        throw StorageError(
            .permissionDenied, "sql.event_not_granted",
            "\(context.caller) may not publish \(event.type.prefix(80)); add \"\(first.prefix(40))\" to `publishes` in its manifest and its grants.",
            detail: "\(pointer)/type")
    }

    private static func check(_ event: EventsNewEvent, at pointer: String) throws(StorageError) {
        guard isType(event.type) else {
            throw StorageError(
                .invalidArgument, "sql.event",
                "\"\(event.type.prefix(80))\" is no type; lower-case words with dots between are.",
                detail: "\(pointer)/type")
        }
        guard event.data.utf8.count <= 262_144 else {
            throw StorageError(
                .invalidArgument, "sql.event", "The data is larger than 256 KiB; store it and send its id.",
                detail: "\(pointer)/data")
        }
        guard JSONText.kind(of: event.data) == .object else {
            throw StorageError(
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
}
