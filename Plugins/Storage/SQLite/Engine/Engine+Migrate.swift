// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreStorage

/// Schemas.
extension Engine {
    /// Brings the schema of the caller's namespace up to date, in one transaction.
    func migrate(_ request: SQLMigrateRequest, for scope: CallerScope) async throws -> SQLMigrateResponse {
        try admit(scope)
        let list = try MigrationList(
            request.migrations, in: scope.namespace, .sqlite, digest: environment.digest)
        let run = MigrationRun(namespace: scope.namespace, list: list, now: environment.now())
        while true {
            if let response = try await apply(run, dryRun: request.dryRun, for: scope) { return response }
            // Other writes have their turn, and say that the database is busy.
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Applies the list; nil where another process has the write lock. One that migrates holds it until its schema is
    /// complete, which may take long: whoever writes here meanwhile is not to wait behind this.
    private func apply(_ run: MigrationRun, dryRun: Bool, for scope: CallerScope) async throws -> SQLMigrateResponse? {
        try await writer.run(for: scope) { [tenantTables] connection in
            if let tables = try run.tablesWhereComplete(connection) {
                if !dryRun { tenantTables?.learn(tables, of: run.namespace) }
                return SQLMigrateResponse()
            }
            do throws(StorageError) {
                try connection.execute("BEGIN IMMEDIATE")
            } catch {
                guard error.reason == "sql.busy" else { throw error }
                return nil
            }
            defer { connection.rollback() }
            var response = try run.apply(on: connection)
            if dryRun { return response }
            response.statements = []
            let tables = try run.tenantTables(connection)
            try connection.execute("COMMIT")
            tenantTables?.learn(tables, of: run.namespace)
            return response
        }
    }
}

/// One list of migrations being applied; the transaction is the caller's.
struct MigrationRun: Sendable {
    let namespace: Namespace
    let list: MigrationList
    let now: Int64

    /// Applies what is not applied yet.
    func apply(on connection: Connection) throws(StorageError) -> SQLMigrateResponse {
        let applied = try connection.run(MigrationRows.applied(namespace: namespace.name))
        let pending = try list.pending(after: applied, in: namespace)
        let others = try foreignObjects(connection)
        var response = SQLMigrateResponse()
        // Tables that refer to each other may be rebuilt in any order; the references are checked at the commit.
        try connection.execute("PRAGMA defer_foreign_keys = ON")
        for item in pending {
            do throws(StorageError) {
                if let text = item.text { try connection.runMigration(text, in: namespace) }
                try checkTenants(connection, through: item.place)
            } catch {
                throw error.within("Migration \(item.entry.name)").at("/migrations/\(item.place)")
            }
            try connection.run(
                MigrationRows.record(item.entry, namespace: namespace.name, place: item.place, at: now))
            response.applied.append(item.entry.name)
            response.statements += try item.text?.statements() ?? []
        }
        // The authorizer is told the old name of a renamed table only.
        guard try foreignObjects(connection) == others else {
            throw StorageError(
                .permissionDenied, "sql.foreign_table",
                "A migration gave a table a name outside of \(namespace.name); write names in braces.")
        }
        return response
    }

    /// The tables that have tenants, where nothing is left to apply: that takes no write lock.
    func tablesWhereComplete(_ connection: Connection) throws(StorageError) -> [String]? {
        try connection.execute("BEGIN DEFERRED")
        defer { connection.rollback() }
        let applied = try connection.run(MigrationRows.applied(namespace: namespace.name))
        guard try list.pending(after: applied, in: namespace).isEmpty else { return nil }
        return try tenantTables(connection)
    }

    /// Every table has a tenant, or a migration up to `place` says that it is global.
    private func checkTenants(_ connection: Connection, through place: Int) throws(StorageError) {
        let globals = list.items[...place].reduce(into: Set<String>()) { $0.formUnion($1.text?.globals ?? []) }
        let rows = try connection.rows(
            """
            SELECT name FROM pragma_table_list AS tables
            WHERE schema = 'main' AND type IN ('table', 'virtual') AND lower(substr(name, 1, length(?1))) = ?1
                AND NOT EXISTS (SELECT 1 FROM pragma_table_info(tables.name) AS columns WHERE lower(columns.name) = 'tenant')
            ORDER BY name
            """, [SQLValue(namespace.prefix)])
        for row in rows {
            let table = String(row.values[0].text.dropFirst(namespace.prefix.count))
            if namespace == .host, HostSchema.tables.contains(table) { continue }
            guard globals.contains(asciiLowercased(table)) else { throw MigrationList.noTenant(table) }
        }
    }

    /// Tables that have tenants and are not declared global, without prefix.
    func tenantTables(_ connection: Connection) throws(StorageError) -> [String] {
        let rows = try connection.rows(
            """
            SELECT name FROM pragma_table_list AS tables
            WHERE schema = 'main' AND type IN ('table', 'virtual') AND lower(substr(name, 1, length(?1))) = ?1
                AND EXISTS (SELECT 1 FROM pragma_table_info(tables.name) AS columns WHERE lower(columns.name) = 'tenant')
            """, [SQLValue(namespace.prefix)])
        return rows.map { String($0.values[0].text.dropFirst(namespace.prefix.count)) }
            .filter { !list.globals.contains(asciiLowercased($0)) }
    }

    /// Everything in the schema that is not the namespace's.
    private func foreignObjects(_ connection: Connection) throws(StorageError) -> [SQLRow] {
        try connection.rows(
            """
            SELECT type, name, tbl_name FROM sqlite_schema
            WHERE lower(substr(name, 1, length(?1))) <> ?1 AND lower(substr(tbl_name, 1, length(?1))) <> ?1
            ORDER BY type, name
            """, [SQLValue(namespace.prefix)])
    }
}
