// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatreStorage

extension Engine {
    /// Reads everything and checks it; of a backup where `path` is not empty.
    func verify(_ backup: String, for scope: CallerScope) async throws -> SQLVerifyResponse {
        guard backup.isEmpty else {
            return try await readers.run(for: scope) { _ in try Verification.run(onBackup: backup) }
        }
        let reading = try await streams.take(waiting: options.streamWaitMilliseconds)
        defer { streams.give(back: reading) }
        let response = try await readers.run(for: scope) { thread in
            try reading.verify(while: { thread.isWanted })
        }
        health.verified(response.findings.first)
        return response
    }
}

/// The checks of a database, on one snapshot.
enum Verification {
    /// Of a file that nobody writes.
    static func run(onBackup path: String) throws -> SQLVerifyResponse {
        try DatabaseFile.check(absolute: path)
        let connection = try Connection(path: path, role: .archive)
        defer { connection.close() }
        return try run(on: connection)
    }

    static func run(on connection: Connection) throws -> SQLVerifyResponse {
        var response = SQLVerifyResponse()
        do {
            let tables = try connection.rows("SELECT name FROM sqlite_schema WHERE type = 'table'").map(
                \.values[0].text)
            guard tables.contains("host__migrations") else {
                throw StorageError(
                    .failedPrecondition, "sql.not_a_backup", "The file is a database, but none of this plugin.")
            }
            response.findings += try structure(connection)
            response.findings += try references(connection)
            response.findings += try hostTables(connection, Set(tables))
            response.pages = try connection.rows("PRAGMA page_count").first?.values.first?.integer ?? 0
        } catch let error as StorageError where error.reason == "sql.corrupt" {
            response.findings.append(error.message)
        }
        return response
    }

    private static func structure(_ connection: Connection) throws -> [String] {
        try connection.rows("PRAGMA integrity_check(100)").map(\.values[0].text).filter { $0 != "ok" }
    }

    private static func references(_ connection: Connection) throws -> [String] {
        try connection.execute("PRAGMA foreign_key_check", bounds: Bounds(rows: 100_000, bytes: .max)).rows.prefix(100)
            .map {
                "\($0.values[0].text) row \($0.values[1].integer) refers to a row of \($0.values[2].text) that is not there"
            }
    }

    private static func hostTables(_ connection: Connection, _ tables: Set<String>) throws -> [String] {
        let missing = HostSchema.tables.sorted().filter { !tables.contains("host__\($0)") }
        // An older backup lacks what later versions add, which they make when they open it.
        let applied = try connection.run(MigrationRows.applied(namespace: "")).count
        guard missing.isEmpty else {
            return applied < HostSchema.changes(.sqlite).count ? [] : missing.map { "table host__\($0) is missing" }
        }
        return try questions.compactMap { question, finding in
            let count = try connection.rows(question).first?.values.first?.integer ?? 0
            return count == 0 ? nil : "\(count) \(finding)"
        }
    }

    private static let questions = [
        (
            """
            SELECT COUNT(*) FROM host__cursors WHERE position > COALESCE(
                (SELECT seq FROM sqlite_sequence WHERE name = 'host__events'), 0)
            """, "cursors are beyond the end of the log"
        ),
        (
            "SELECT COUNT(*) FROM host__jobs WHERE (state IN (1, 2)) <> (ready < 2) OR (ready = 2) <> (ended_at > 0)",
            "jobs are in no clear state"
        ),
        (
            """
            SELECT COUNT(*) FROM (SELECT namespace FROM host__migrations GROUP BY namespace
                HAVING COUNT(*) <> MAX(place) + 1)
            """, "namespaces lack one of their migrations"
        ),
        (
            "SELECT COUNT(*) FROM host__events WHERE NOT json_valid(data)", "events have data that is no JSON"
        ),
    ]
}
