// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreStorage

/// How the database fares.
extension Engine {
    /// What there is; a server that cannot be reached is a status too.
    func status() async throws(StorageError) -> SQLStatusResponse {
        var status = SQLStatusResponse()
        status.engine = "postgresql"
        let servers = options.server.addresses.map(\.description).joined(separator: ", ")
        status.location =
            "\(servers)/\(options.server.database) as \(options.server.user), sslmode \(options.server.sslMode)"
        if health.wantsLook { await lookAtDisk() }
        do throws(StorageError) {
            try await ask(&status)
        } catch {
            status.writable = false
            status.reason = "\(error.reason): \(error.message)"
        }
        if let failure = health.current {
            status.writable = false
            status.reason = "\(failure.reason): \(failure.message)"
        }
        let figures = pool.figures
        status.figures = [
            "connections": Int64(figures.open), "connections_idle": Int64(figures.idle),
            "connections_opened": Int64(figures.opened), "connections_failed": Int64(figures.failures),
            "connections_evicted": Int64(figures.evicted),
            "calls_waiting": Int64(figures.waiting), "log_head": tail.head.head,
            "roles_per_namespace": withoutRoles.withLock { $0.isEmpty ? 1 : 0 },
            "replicas": Int64(options.replicas.count),
        ]
        if status.reason.isEmpty { status.reason = withoutRoles.withLock { $0 } }
        return status
    }

    /// Makes a table of a megabyte and does not keep it: whether that goes through is for ``health``.
    private func lookAtDisk() async {
        let steps = [
            Step("BEGIN", isPrepared: false), NamespaceRealm.enterHost(hostSchema),
            Step("CREATE TABLE host__room (line TEXT NOT NULL)", isPrepared: false),
            Step("INSERT INTO host__room SELECT repeat('x', 1900) FROM generate_series(1, 512)", isPrepared: false),
            Step("ROLLBACK", isPrepared: false),
        ]
        do throws(StorageError) {
            // What the server refuses reaches `health` by the pool.
            let outcome = try await exchange(steps, on: pool, milliseconds: 5000)
            if outcome.isComplete { return health.wrote() }
            if let error = outcome.error(in: .host, milliseconds: 5000) { throw error }
        } catch {
            environment.warn(
                "the disk of the server could not be looked at",
                ["error.reason": error.reason, "error.message": error.message])
        }
    }

    private func ask(_ status: inout SQLStatusResponse) async throws(StorageError) {
        let host = NamespaceRealm.enterHost(hostSchema)
        let outcome = try await exchange(
            [
                host,
                Step(
                    "SELECT version(), pg_database_size(current_database()), pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'",
                    isPrepared: false),
                Step(
                    "SELECT namespace, COUNT(*) FROM host__migrations WHERE namespace <> '' GROUP BY namespace ORDER BY namespace",
                    isPrepared: false),
                Step(
                    """
                    SELECT CAST(substr(relname, 1, strpos(relname, '__') - 1) AS TEXT), COUNT(*) FROM pg_class
                    JOIN pg_namespace ON pg_namespace.oid = relnamespace
                    WHERE relkind IN ('r', 'p') AND starts_with(nspname, $1) AND strpos(relname, '__') > 1
                    GROUP BY 1 ORDER BY 1
                    """, [SQLValue("\(options.prefix)_")], isPrepared: false),
            ], on: pool, milliseconds: 15_000)
        if let error = outcome.error(in: .host, milliseconds: 15_000) { throw error }
        if let row = outcome.results[1].rows.first {
            status.version = row.values[0].text
            status.bytes = row.values[1].integer
            status.writable = row.values[2].integer == 0
            if !status.writable {
                status.reason = "\(StorageError.readOnly.reason): \(StorageError.readOnly.message)"
            }
        }
        let migrations = Dictionary(
            outcome.results[2].rows.map { ($0.values[0].text, $0.values[1].integer) }, uniquingKeysWith: { $1 })
        let tables = Dictionary(
            outcome.results[3].rows.map { ($0.values[0].text, $0.values[1].integer) }, uniquingKeysWith: { $1 })
        status.namespaces = Set(migrations.keys).union(tables.keys).sorted().map { name in
            .with {
                $0.name = name
                $0.migrations = UInt32(clamping: migrations[name] ?? 0)
                $0.tables = UInt32(clamping: tables[name] ?? 0)
            }
        }
    }

    /// Reads every table from end to end, where the server checks pages if it has checksums, and looks for indexes and
    /// constraints that do not hold.
    func verify() async throws(StorageError) -> SQLVerifyResponse {
        let lease = try await leased(pool)
        defer { lease.release() }
        let host = NamespaceRealm.enterHost(hostSchema)
        let found = try await lease.results(
            [
                host,
                Step(
                    """
                    SELECT quote_ident(nspname) || '.' || quote_ident(relname),
                        pg_relation_size(pg_class.oid) / CAST(current_setting('block_size') AS BIGINT)
                    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                    WHERE relkind IN ('r', 'm') AND starts_with(nspname, $1) ORDER BY 1
                    """, [SQLValue("\(options.prefix)_")], isPrepared: false),
                Step(
                    """
                    SELECT 'index ' || CAST(indexrelid AS regclass) || ' is not valid' FROM pg_index WHERE NOT indisvalid
                    UNION ALL SELECT 'constraint ' || conname || ' is not validated' FROM pg_constraint
                    JOIN pg_namespace ON pg_namespace.oid = connamespace
                    WHERE NOT convalidated AND starts_with(nspname, $1)
                    """, [SQLValue("\(options.prefix)_")], isPrepared: false),
            ], in: .host, milliseconds: 60_000)
        var response = SQLVerifyResponse()
        response.findings = found[2].rows.map { $0.values[0].text }
        var isReadable = true
        for row in found[1].rows {
            let table = row.values[0].text
            // As its owner: the user that logs in need not see the rows of others, but may become them.
            let outcome = await lease.run(
                [Step("SELECT sum(length(CAST(whole AS TEXT))) FROM \(table) AS whole", isPrepared: false)],
                milliseconds: 600_000)
            if outcome.isLost { throw .connectionLost(outcome.failure?.error.message ?? "it had gone") }
            if let failure = outcome.failure {
                isReadable = false
                response.findings.append("\(table): \(failure.error.message)")
            }
            response.pages += row.values[1].integer
        }
        if isReadable { health.verified() }
        return response
    }
}
