// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// Schemas.
extension Engine {
    /// Brings the schema of the caller's namespace up to date, in one transaction.
    func migrate(_ request: SQLMigrateRequest, for scope: CallerScope) async throws -> SQLMigrateResponse {
        try admit(scope)
        let environment = environment
        return try await writer.run(for: scope) { connection in
            try connection.execute("BEGIN IMMEDIATE")
            defer { connection.rollback() }
            var run = MigrationRun(namespace: scope.namespace, connection: connection, environment: environment)
            let response = try run.apply(request.migrations)
            if !request.dryRun { try connection.execute("COMMIT") }
            return response
        }
    }
}

/// One list of migrations being applied; the transaction is the caller's.
struct MigrationRun {
    let namespace: Namespace
    let connection: Connection
    let environment: EngineEnvironment
    private var globals: Set<String> = []

    init(namespace: Namespace, connection: Connection, environment: EngineEnvironment) {
        self.namespace = namespace
        self.connection = connection
        self.environment = environment
    }

    /// Applies what is not applied yet.
    mutating func apply(_ list: [SQLMigration]) throws(SQLiteError) -> SQLMigrateResponse {
        try checkNames(list)
        let entries = list.map { migration in
            MigrationRows.Entry(
                name: migration.name, engine: migration.engine,
                digest: environment.digest(Array("\(migration.engine)\n\(migration.sql)".utf8)))
        }
        let applied = try MigrationRows.applied(namespace: namespace.name, on: connection)
        try check(applied, against: entries)
        let others = try foreignObjects()
        var response = SQLMigrateResponse()
        // Tables that refer to each other may be rebuilt in any order; the references are checked at the commit.
        try connection.execute("PRAGMA defer_foreign_keys = ON")
        for (place, migration) in list.enumerated() {
            let runs = migration.engine.isEmpty || migration.engine == "sqlite"
            do {
                let text = runs ? try SQLText(migration.sql, in: namespace, for: .migration) : nil
                globals.formUnion(text?.globals ?? [])
                guard place >= applied.count else { continue }
                if let text { try connection.runMigration(text, in: namespace) }
                try checkTenants()
            } catch {
                throw error.within("Migration \(migration.name)").at("/migrations/\(place)")
            }
            try MigrationRows.record(
                entries[place], namespace: namespace.name, place: place, at: environment.now(), on: connection)
            response.applied.append(migration.name)
        }
        // The authorizer is told the old name of a renamed table only.
        guard try foreignObjects() == others else {
            throw SQLiteError(
                .permissionDenied, "sql.foreign_table",
                "A migration gave a table a name outside of \(namespace.name); write names in braces.")
        }
        return response
    }

    private func checkNames(_ list: [SQLMigration]) throws(SQLiteError) {
        var names: Set<String> = []
        for (place, migration) in list.enumerated() {
            guard !migration.name.isEmpty, names.insert(migration.name).inserted else {
                throw SQLiteError(
                    .invalidArgument, "sql.migration_name",
                    "\"\(migration.name)\" must be a name of its own in the list.",
                    detail: "/migrations/\(place)/name")
            }
            guard ["", "sqlite", "postgresql"].contains(migration.engine) else {
                throw SQLiteError(
                    .invalidArgument, "sql.migration_engine",
                    "\"\(migration.engine)\" is no engine; sqlite and postgresql are.",
                    detail: "/migrations/\(place)/engine")
            }
        }
    }

    /// What was applied must be the beginning of the list, unchanged.
    private func check(_ applied: [MigrationRows.Entry], against list: [MigrationRows.Entry]) throws(SQLiteError) {
        for (place, entry) in applied.enumerated() {
            guard let found = list.firstIndex(where: { $0.name == entry.name }) else {
                throw SQLiteError(
                    .failedPrecondition, "sql.migration_missing",
                    "Migration \(entry.name) was applied to \(namespace.name) and is missing from the list; put it back."
                )
            }
            guard found == place else {
                throw SQLiteError(
                    .failedPrecondition, "sql.migration_order",
                    "Migration \(entry.name) was applied as number \(place + 1) and is number \(found + 1) of the list."
                )
            }
            guard list[place] == entry else {
                throw SQLiteError(
                    .failedPrecondition, "sql.migration_edited",
                    "Migration \(entry.name) has changed since it was applied; restore it and add a new one.",
                    detail: "/migrations/\(place)/sql")
            }
        }
    }

    /// Every table has a tenant, or a migration says that it is global.
    private func checkTenants() throws(SQLiteError) {
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
            guard globals.contains(asciiLowercased(table)) else {
                throw SQLiteError(
                    .failedPrecondition, "sql.tenant_missing",
                    "Table \(table) has no column tenant; add one, or say -- global: {\(table)} in the migration.")
            }
        }
    }

    /// Everything in the schema that is not the namespace's.
    private func foreignObjects() throws(SQLiteError) -> [SQLRow] {
        try connection.rows(
            """
            SELECT type, name, tbl_name FROM sqlite_schema
            WHERE lower(substr(name, 1, length(?1))) <> ?1 AND lower(substr(tbl_name, 1, length(?1))) <> ?1
            ORDER BY type, name
            """, [SQLValue(namespace.prefix)])
    }
}
