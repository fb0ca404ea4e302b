// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreStorage

/// Migrations.
extension Engine {
    /// Brings the schema of the caller's namespace up to date, in one transaction, one host at a time.
    func migrate(_ request: SQLMigrateRequest, for scope: CallerScope) async throws(StorageError) -> SQLMigrateResponse
    {
        try admit(scope)
        let list = try MigrationList(request.migrations, in: scope.namespace, .postgresql, digest: environment.digest)
        for (place, migration) in request.migrations.enumerated() where list.items[place].text != nil {
            do throws(StorageError) {
                try ServerSubset.check(migration.sql, in: scope.namespace, prefix: options.prefix)
            } catch {
                throw error.within("Migration \(migration.name)").at("/migrations/\(place)")
            }
        }
        let realm = try await realm(of: scope.namespace)
        return try await noticing { () throws(StorageError) in try await apply(list, request, in: realm, for: scope) }
    }

    private func apply(
        _ list: MigrationList, _ request: SQLMigrateRequest, in realm: NamespaceRealm, for scope: CallerScope
    ) async throws(StorageError) -> SQLMigrateResponse {
        let lease = try await leased(pool)
        defer { lease.release() }
        var run = MigrationRun(
            namespace: scope.namespace, realm: realm, hostSchema: hostSchema, list: list, now: environment.now(),
            lease: lease)
        _ = try await run.send([Step("BEGIN", isPrepared: false), schemaLock])
        var response = try await run.apply()
        let tables = try await run.tenantTables()
        if request.dryRun {
            _ = try await run.send([Step("ROLLBACK", isPrepared: false)])
        } else {
            _ = try await run.send([Step("COMMIT", isPrepared: false)])
            try await learnColumns(of: scope.namespace, in: realm)
            texts.tenantTables?.learn(tables, of: scope.namespace)
            response.statements = []
        }
        return response
    }
}

/// One list of migrations being applied; the transaction is the caller's.
struct MigrationRun {
    let namespace: Namespace
    let realm: NamespaceRealm
    let hostSchema: String
    let list: MigrationList
    let now: Int64
    let lease: Lease

    /// Runs steps; a migration may take its time.
    func send(_ steps: [Step]) async throws(StorageError) -> [SQLRows] {
        try await lease.results(steps, in: namespace, milliseconds: 600_000)
    }

    /// Applies what is not applied yet.
    mutating func apply() async throws(StorageError) -> SQLMigrateResponse {
        let plan = MigrationRows.applied(namespace: namespace.name)
        let rows = try await send([NamespaceRealm.enterHost(hostSchema)] + plan.statements.map { Step($0) })
        let pending = try list.pending(after: try plan.decode(Array(rows[1...])), in: namespace)
        var response = SQLMigrateResponse()
        for item in pending {
            do throws(StorageError) {
                if let text = item.text {
                    let enter = realm.enter(reading: false, statementMilliseconds: 0, idleMilliseconds: 60_000)
                    var steps = [enter]
                    for statement in try text.statements() {
                        let sql = item.entry.engine.isEmpty ? try DoubleLiterals.cast(in: statement) : statement
                        steps.append(Step(sql, isPrepared: false))
                    }
                    _ = try await send(steps)
                }
                try await checkTenants(through: item.place)
            } catch {
                throw error.within("Migration \(item.entry.name)").at("/migrations/\(item.place)")
            }
            let record = MigrationRows.record(item.entry, namespace: namespace.name, place: item.place, at: now)
            _ = try await send([NamespaceRealm.enterHost(hostSchema), Step(record)])
            response.applied.append(item.entry.name)
            response.statements += try item.text?.statements() ?? []
        }
        return response
    }

    /// Every table is the namespace's by its name, and has a tenant, or a migration up to `place` says that it is global.
    private func checkTenants(through place: Int) async throws(StorageError) {
        let globals = list.items[...place].reduce(into: Set<String>()) { $0.formUnion($1.text?.globals ?? []) }
        for row in try await tables() {
            let name = row.values[0].text
            if namespace == .host, name.hasPrefix(namespace.prefix) { continue }
            guard namespace.owns(name) else {
                throw StorageError(
                    .permissionDenied, "sql.foreign_table",
                    "A migration gave a table a name outside of \(namespace.name); write names in braces.")
            }
            let table = String(name.dropFirst(namespace.prefix.count))
            guard row.values[2].integer == 0 || row.values[1].integer == 1 || globals.contains(asciiLowercased(table))
            else { throw MigrationList.noTenant(table) }
        }
    }

    /// Tables that have tenants and are not declared global, without prefix.
    func tenantTables() async throws(StorageError) -> [String] {
        try await tables().filter { $0.values[1].integer == 1 && $0.values[2].integer == 1 }
            .map { String($0.values[0].text.dropFirst(namespace.prefix.count)) }
            .filter { !list.globals.contains(asciiLowercased($0)) }
    }

    /// Every table of the schema: its name, whether it has tenants, and whether it is one and no view.
    private func tables() async throws(StorageError) -> [SQLRow] {
        let sql = """
            SELECT CAST(classes.relname AS TEXT), EXISTS (SELECT 1 FROM pg_attribute AS columns
                WHERE columns.attrelid = classes.oid AND columns.attname = 'tenant' AND NOT columns.attisdropped),
                classes.relkind IN ('r', 'p')
            FROM pg_class AS classes JOIN pg_namespace AS schemas ON schemas.oid = classes.relnamespace
            WHERE schemas.nspname = $1 AND classes.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY classes.relname
            """
        return try await send([
            NamespaceRealm.enterHost(hostSchema), Step(sql, [SQLValue(realm.schema)], isPrepared: false),
        ])[1].rows
    }
}
