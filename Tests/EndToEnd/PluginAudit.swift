// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import PostgreSQLServer
import Testing

/// What the storage of a server under test has about its plugins.
enum PluginAudit {
    private static let query =
        "SELECT principal || ' ' || action FROM host__audit WHERE resource = 'plugin' AND outcome = 'changed'"
        + " ORDER BY id"

    /// Principal and action of the audit rows of plugins, in PostgreSQL.
    static func inServer(_ deployment: TemporaryFolder) async throws -> [String] {
        try await run(query, inServerOf: deployment).split(separator: "\n").map(String.init)
    }

    /// What PostgreSQL prints of a statement on the host's tables of a deployment.
    static func run(_ sql: String, inServerOf deployment: TemporaryFolder) async throws -> String {
        let declared = try deployment.read("11-postgresql.yaml")
        let database = try #require(declared.firstMatch(of: /database: (\w+)/)).1
        return try await PostgreSQLServer.shared().sql(
            "SET search_path = theatre_host; \(sql)", in: String(database))
    }

    /// Principal and action of the audit rows of plugins, in SQLite.
    static func inFile(_ server: ServerProcess) throws -> [String] { try rows(of: server, query) }

    /// The first column of what a query finds in the SQLite of a server.
    static func rows(of server: ServerProcess, _ query: String) throws -> [String] {
        try rows(in: server.folder.path("state/sqlite/theatre.db"), query)
    }

    /// The first column of what a statement finds in the SQLite at a path.
    static func rows(in path: String, _ query: String) throws -> [String] {
        var connection: OpaquePointer?
        guard sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK else {
            throw Unexpected("\(path) cannot be opened")
        }
        defer { sqlite3_close(connection) }
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(connection, query, -1, &statement, nil) == SQLITE_OK else {
            throw Unexpected("\(query) cannot be run: \(String(cString: sqlite3_errmsg(connection)))")
        }
        defer { sqlite3_finalize(statement) }
        var rows: [String] = []
        while sqlite3_step(statement) == SQLITE_ROW {
            if let column = sqlite3_column_text(statement, 0) { rows.append(String(cString: column)) }
        }
        return rows
    }
}
