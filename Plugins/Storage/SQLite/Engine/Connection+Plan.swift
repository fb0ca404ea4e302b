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

    /// Makes those of the host's tables that are not there yet, one process at a time.
    func installHostSchema(_ environment: EngineEnvironment) throws(StorageError) {
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
}
