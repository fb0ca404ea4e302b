// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts

/// What is recorded of migrations.
enum MigrationRows {
    /// An applied or skipped migration.
    struct Entry: Hashable {
        var name: String
        var engine: String
        var digest: [UInt8]
    }

    /// In the order they were applied in. The engine's own have the empty namespace, which no caller has.
    static func applied(namespace: String, on connection: Connection) throws(SQLiteError) -> [Entry] {
        try connection.rows(
            "SELECT name, engine, digest FROM host__migrations WHERE namespace = ?1 ORDER BY place",
            [SQLValue(namespace)]
        ).map { Entry(name: $0.values[0].text, engine: $0.values[1].text, digest: Array($0.values[2].blob)) }
    }

    static func record(
        _ entry: Entry, namespace: String, place: Int, at now: Int64, on connection: Connection
    ) throws(SQLiteError) {
        try connection.execute(
            """
            INSERT INTO host__migrations (namespace, place, name, engine, digest, applied_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """,
            [
                SQLValue(namespace), SQLValue(Int64(place)), SQLValue(entry.name), SQLValue(entry.engine),
                SQLValue(Data(entry.digest)), SQLValue(now),
            ])
    }
}
