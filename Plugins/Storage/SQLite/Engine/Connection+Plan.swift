// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreStorage

/// The host's own tables.
extension Connection {
    /// Runs a plan's statements; the transaction is the caller's.
    @discardableResult
    func run<Output>(_ plan: HostPlan<Output>) throws(StorageError) -> Output {
        var results: [SQLRows] = []
        results.reserveCapacity(plan.statements.count)
        for statement in plan.statements { results.append(try run(statement)) }
        return try plan.decode(results)
    }

    /// Runs one statement of a plan.
    @discardableResult
    func run(_ statement: HostStatement) throws(StorageError) -> SQLRows {
        do throws(StorageError) {
            let rows = try execute(statement.sql, statement.values)
            try statement.check(rows)
            return rows
        } catch {
            throw statement.meaning(of: error)
        }
    }

    /// Makes those of the host's tables that are not there yet, one process at a time. Where all are there the write lock is
    /// not asked for: an engine that writes all the time leaves it free for moments only.
    func installHostSchema(_ environment: EngineEnvironment) throws(StorageError) {
        if try hasHostSchema() { return }
        try execute("BEGIN IMMEDIATE")
        defer { rollback() }
        try execute(HostSchema.migrations(.sqlite))
        let applied = try run(MigrationRows.applied(namespace: ""))
        for (place, change) in HostSchema.changes(.sqlite).enumerated() where place >= applied.count {
            for statement in change.statements { try execute(statement) }
            let entry = MigrationRows.Entry(
                name: change.name, engine: "",
                digest: environment.digest(Array(change.statements.joined(separator: ";").utf8)))
            try run(MigrationRows.record(entry, namespace: "", place: place, at: environment.now()))
        }
        try execute("COMMIT")
    }

    private func hasHostSchema() throws(StorageError) -> Bool {
        let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'host__migrations'"
        guard try !rows(table).isEmpty else { return false }
        return try run(MigrationRows.applied(namespace: "")).count >= HostSchema.changes(.sqlite).count
    }
}
