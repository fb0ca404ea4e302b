// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
public import TheatreContracts

/// Where consumers have got to.
public enum CursorRows {
    /// Moves a cursor where it stands as expected, or only asks for it where -1 is.
    public static func move(
        _ request: EventsMoveCursorRequest, at now: Int64
    ) throws(StorageError) -> HostPlan<EventsMoveCursorResponse> {
        guard !request.consumer.isEmpty, request.expected >= -1, request.offset >= 0 else {
            throw StorageError(
                .invalidArgument, "sql.cursor",
                "A consumer, an expected offset of at least -1 and an offset of at least 0 are needed.")
        }
        let ask = HostStatement(
            "SELECT position FROM host__cursors WHERE consumer = ?1", [SQLValue(request.consumer)])
        // A consumer without a cursor stands at 0.
        let move = HostStatement(
            """
            INSERT INTO host__cursors (consumer, position, moved_at)
            SELECT CAST(?1 AS TEXT), CAST(?2 AS BIGINT), CAST(?3 AS BIGINT)
            WHERE CAST(?4 AS BIGINT) = 0 OR EXISTS (SELECT 1 FROM host__cursors WHERE consumer = ?1)
            ON CONFLICT (consumer) DO UPDATE SET position = excluded.position, moved_at = excluded.moved_at
            WHERE host__cursors.position = ?4
            """,
            [
                SQLValue(request.consumer), SQLValue(request.offset), SQLValue(now), SQLValue(request.expected),
            ])
        return HostPlan(request.expected == -1 ? [ask] : [move, ask]) { (results: [SQLRows]) throws(StorageError) in
            .with { $0.offset = results.last?.rows.first?.values.first?.integer ?? 0 }
        }
    }

    /// Every consumer that has a cursor, by name. `head` as in ``EventRows/read(_:head:bytes:_:)``.
    public static func list(head: Int64? = nil, _ dialect: Dialect) -> HostPlan<EventsListConsumersResponse> {
        HostPlan([
            HostStatement(
                """
                SELECT consumer, position, moved_at, (SELECT COUNT(*) FROM host__dead_letters
                    WHERE host__dead_letters.consumer = host__cursors.consumer)
                FROM host__cursors ORDER BY consumer
                """),
            head.map { HostStatement("SELECT CAST(?1 AS BIGINT)", [SQLValue($0)]) }
                ?? HostStatement(EventRows.headSQL(dialect)),
            HostStatement(EventRows.oldest),
        ]) { (results: [SQLRows]) throws(StorageError) in
            .with {
                $0.consumers = results[0].rows.map { row in
                    .with {
                        $0.consumer = row.values[0].text
                        $0.offset = row.values[1].integer
                        $0.movedAt = row.values[2].integer
                        $0.deadLetters = UInt32(clamping: row.values[3].integer)
                    }
                }
                $0.head = results[1].rows.first?.values.first?.integer ?? 0
                let oldest = results[2].rows.first?.values.first?.integer ?? 0
                $0.oldest = oldest == 0 ? $0.head + 1 : oldest
            }
        }
    }
}
