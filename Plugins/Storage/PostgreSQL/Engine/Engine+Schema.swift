// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreContracts
import TheatreStorage

/// Schemas and roles.
extension Engine {
    /// Held while a schema changes, one host at a time: a number that nobody else is likely to use, and the prefix.
    var schemaLock: Step {
        Step(
            "SELECT pg_advisory_xact_lock(CAST(7231841 AS INTEGER), hashtext($1))", [SQLValue(options.prefix)],
            isPrepared: false)
    }

    /// Makes those of the host's tables that are not there yet.
    func installHostSchema() async throws(StorageError) {
        let lease = try await leased(pool)
        defer { lease.release() }
        try await decideRoles(lease)
        _ = try await lease.results(
            [
                Step("BEGIN", isPrepared: false), schemaLock,
                Step("CREATE SCHEMA IF NOT EXISTS \"\(hostSchema)\"", isPrepared: false),
                NamespaceRealm.enterHost(hostSchema), Step(HostSchema.migrations(.postgresql), isPrepared: false),
            ], in: .host, milliseconds: 60_000)
        let known = MigrationRows.applied(namespace: "")
        let applied = try known.decode(
            try await lease.results(known.statements.map { Step($0) }, in: .host, milliseconds: 60_000))
        var steps: [Step] = []
        for (place, change) in HostSchema.changes(.postgresql).enumerated() where place >= applied.count {
            steps += change.statements.map { Step($0, isPrepared: false) }
            let entry = MigrationRows.Entry(
                name: change.name, engine: "",
                digest: environment.digest(Array(change.statements.joined(separator: ";").utf8)))
            steps.append(Step(MigrationRows.record(entry, namespace: "", place: place, at: environment.now())))
        }
        let found = try await lease.results([Self.functionsFound(in: hostSchema)], in: .host, milliseconds: 60_000)
        if !hasFunctions(found[0]) { steps += functions(of: NamespaceRealm(schema: hostSchema, role: nil)) }
        _ = try await lease.results(steps + [Step("COMMIT")], in: .host, milliseconds: 60_000)
    }

    /// Whether namespaces get roles, once at the start.
    private func decideRoles(_ lease: Lease) async throws(StorageError) {
        if options.roles == .never {
            withoutRoles.withLock { $0 = "The configuration says roles: never." }
            return
        }
        let rows = try await lease.results(
            [Step("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user", isPrepared: false)],
            in: .host, milliseconds: 30_000)
        guard rows[0].rows.first?.values.first?.integer != 1 else { return }
        let why =
            "The user \(options.server.user) may not make roles, so instances are kept apart by names and schemas only; "
            + "ALTER ROLE … CREATEROLE allows it."
        guard options.roles != .required else {
            throw StorageError(.failedPrecondition, "sql.no_roles", why)
        }
        withoutRoles.withLock { $0 = why }
        environment.warn(why, ["postgresql.user": options.server.user])
    }

    /// Where a namespace's tables live; what is not there yet is made.
    func realm(of namespace: Namespace) async throws(StorageError) -> NamespaceRealm {
        if let known = realms.withLock({ $0[namespace] }) { return known }
        if namespace == .host { return NamespaceRealm(schema: hostSchema, role: nil) }
        let digest = environment.digest
        let hasRoles = withoutRoles.withLock { $0.isEmpty }
        let realm = NamespaceRealm(
            schema: NamespaceRealm.name([options.prefix, namespace.name], digest: digest),
            role: hasRoles
                ? NamespaceRealm.name([options.prefix, options.server.database, namespace.name], digest: digest) : nil)
        try await noticing { () throws(StorageError) in try await make(realm) }
        try await learnColumns(of: namespace, in: realm)
        realms.withLock { $0[namespace] = realm }
        return realm
    }

    /// Which columns are never NULL; where a schema changes elsewhere meanwhile, that is of tables unknown here.
    func learnColumns(of namespace: Namespace, in realm: NamespaceRealm) async throws(StorageError) {
        let sql = """
            SELECT CAST(columns.attname AS TEXT) FROM pg_attribute AS columns
            JOIN pg_class AS classes ON classes.oid = columns.attrelid
            JOIN pg_namespace AS schemas ON schemas.oid = classes.relnamespace
            WHERE schemas.nspname = $1 AND classes.relkind IN ('r', 'p') AND columns.attnum > 0
                AND NOT columns.attisdropped
            GROUP BY columns.attname HAVING bool_and(columns.attnotnull)
            """
        let step = Step(sql, [SQLValue(realm.schema)], isPrepared: false)
        let outcome = try await exchange([step], on: pool, milliseconds: 30_000)
        if let error = outcome.error(in: .host, milliseconds: 30_000) { throw error }
        let names = outcome.results[0].rows.compactMap { $0.values.first?.text }
        texts.learn(neverNull: Set(names.map(asciiLowercased)), in: namespace)
    }

    /// How many of the functions that statements are given are in a schema.
    private static func functionsFound(in schema: String) -> Step {
        let sql = """
            SELECT count(*) FROM pg_proc JOIN pg_namespace AS schemas ON schemas.oid = pronamespace
            WHERE schemas.nspname = $1 AND proname IN ('\(ServerMeaning.sum)', '\(ServerMeaning.integer)')
            """
        return Step(sql, [SQLValue(schema)], isPrepared: false)
    }

    private func hasFunctions(_ rows: SQLRows) -> Bool {
        rows.rows.first?.values.first?.integer == Int64(ServerMeaning.functionCount)
    }

    /// Makes them, for the schema's owner.
    private func functions(of realm: NamespaceRealm) -> [Step] {
        let become = realm.role.map { [Step("SET LOCAL ROLE \"\($0)\"", isPrepared: false)] } ?? []
        return become + ServerMeaning.functions(in: realm.schema).map { Step($0, isPrepared: false) }
            + (realm.role == nil ? [] : [Step("SET LOCAL ROLE NONE", isPrepared: false)])
    }

    private func make(_ realm: NamespaceRealm) async throws(StorageError) {
        let lease = try await leased(pool)
        defer { lease.release() }
        let begin = try await lease.results(
            [
                Step("BEGIN", isPrepared: false), schemaLock,
                Step(
                    "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1), EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $2)",
                    [SQLValue(realm.role ?? ""), SQLValue(realm.schema)], isPrepared: false),
                Self.functionsFound(in: realm.schema),
            ], in: .host, milliseconds: 30_000)
        let values: [SQLValue] = begin[2].rows.first?.values ?? []
        let found = values.map { $0.integer == 1 } + [false, false]
        var steps: [Step] = []
        if let role = realm.role {
            if !found[0] { steps.append(Step("CREATE ROLE \"\(role)\" NOLOGIN NOINHERIT", isPrepared: false)) }
            steps.append(
                Step("GRANT \"\(role)\" TO \"\(quoted(options.server.user))\"", isPrepared: false))
        }
        if !found[1] {
            let owner = realm.role.map { " AUTHORIZATION \"\($0)\"" } ?? ""
            steps.append(Step("CREATE SCHEMA \"\(realm.schema)\"\(owner)", isPrepared: false))
        } else if let role = realm.role, !found[0] {
            steps += handOver(realm.schema, to: role)
        }
        if !hasFunctions(begin[3]) { steps += functions(of: realm) }
        _ = try await lease.results(steps + [Step("COMMIT", isPrepared: false)], in: .host, milliseconds: 30_000)
    }

    /// What was made while there were no roles belongs to the new one.
    private func handOver(_ schema: String, to role: String) -> [Step] {
        let tables = """
            DO $each$ DECLARE found record; BEGIN
                FOR found IN SELECT CAST(pg_class.oid AS regclass) AS name FROM pg_class
                    JOIN pg_namespace ON pg_namespace.oid = relnamespace
                    WHERE nspname = '\(schema)' AND relkind IN ('r', 'p', 'v', 'm')
                LOOP EXECUTE format('ALTER TABLE %s OWNER TO %I', found.name, '\(role)'); END LOOP;
            END $each$
            """
        return [
            Step("ALTER SCHEMA \"\(schema)\" OWNER TO \"\(role)\"", isPrepared: false), Step(tables, isPrepared: false),
        ]
    }

    private func quoted(_ name: String) -> String {
        name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
    }
}
