// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreStorage

extension Engine {
    /// What there is and how it fares. Where writes fail, it tries one more.
    func status(for scope: CallerScope) async throws -> SQLStatusResponse {
        if health.current != nil { await probe(scope) }
        let path = path
        var response: SQLStatusResponse
        do {
            response = try await readers.run(for: scope) { connection in
                try connection.transaction("DEFERRED") { try Self.standing(connection) }
            }
        } catch let error as StorageError where error.isOfStorage {
            health.found(error)
            response = SQLStatusResponse()
        }
        response.engine = "sqlite"
        response.version = DatabaseFile.engineVersion
        response.location = options.isTemporary ? "temporary" : path
        response.figures["makes_backups"] = 1
        response.figures["commits"] = writer.commits.load(ordering: .relaxed)
        response.figures["transactions"] = writer.transactions.load(ordering: .relaxed)
        let failure = health.current
        response.writable = failure == nil
        response.reason = failure.map { "\($0.reason): \($0.message)" } ?? ""
        return response
    }

    /// Writes a page for real, changing nothing: whether it goes through is the writer's to tell ``health``.
    private func probe(_ scope: CallerScope) async {
        do {
            try await write(for: scope) { connection in
                // A row that is set to what it was is not written; this is, into the first page.
                let version = try connection.rows("PRAGMA user_version").first?.values.first?.integer ?? 0
                try connection.execute("PRAGMA user_version = \(version)")
            }
        } catch let error as StorageError {
            health.found(error)
        } catch { return }
    }

    private static func standing(_ connection: Connection) throws -> SQLStatusResponse {
        var response = SQLStatusResponse()
        let pages = try connection.rows("PRAGMA page_count").first?.values.first?.integer ?? 0
        let size = try connection.rows("PRAGMA page_size").first?.values.first?.integer ?? 0
        response.bytes = pages * size
        let rows = try connection.rows(
            """
            SELECT name, MAX(migrations), MAX(tables) FROM (
                SELECT CASE WHEN namespace = '' THEN 'host' ELSE namespace END AS name, COUNT(*) AS migrations, 0 AS tables
                FROM host__migrations GROUP BY namespace
                UNION ALL
                SELECT substr(name, 1, instr(name, '__') - 1), 0, COUNT(*) FROM sqlite_schema
                WHERE type = 'table' AND instr(name, '__') > 1 GROUP BY 1
            ) GROUP BY name ORDER BY name
            """)
        response.namespaces = rows.map { row in
            .with {
                $0.name = row.values[0].text
                $0.migrations = UInt32(clamping: row.values[1].integer)
                $0.tables = UInt32(clamping: row.values[2].integer)
            }
        }
        response.figures["events_head"] = try connection.run(EventRows.head(.sqlite))
        response.figures["free_pages"] = try connection.rows("PRAGMA freelist_count").first?.values.first?.integer ?? 0
        return response
    }
}
