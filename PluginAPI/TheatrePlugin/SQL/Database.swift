// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
public import TheatreContracts

/// The tables of one instance, in whatever database its feature is routed to.
///
/// ```swift
/// let db = Database(call, feature: "ledger.storage")
/// let rows = try await db.read("SELECT amount FROM {entries} WHERE tenant = :tenant AND id = ?1", id)
/// try await db.write { tx in
///     try await tx.run("UPDATE {entries} SET amount = ?2 WHERE tenant = :tenant AND id = ?1", expect: 1, id, amount)
///     tx.publish(type: "ledger.changed", aggregate: id, data: "{}")
///     try tx.answer(response)
/// }
/// ```
///
/// Tables are written in braces and belong to the calling instance; `:tenant` is the tenant of the call, bound by the
/// database. Nothing is retried by itself.
public struct Database: Sendable {
    private let client: SQLDatabaseClient

    /// On behalf of `scope`: a ``Call``, or the ``PluginHost`` for what belongs to no tenant, such as ``migrate(_:dryRun:)``.
    public init(_ scope: some CallScope, feature: String) {
        client = SQLDatabaseClient(scope, feature: feature)
    }

    /// Runs one SELECT on a snapshot.
    ///
    /// - Parameter maxRows: more is OUT_OF_RANGE `sql.too_many_rows`; at most 1 MiB comes back in all.
    public func read(
        _ sql: String, maxRows: UInt32 = 10_000, _ values: (any SQLConvertible)?...
    ) async throws -> Rows {
        let request = SQLQueryRequest.with {
            $0.statement = SQLStatement(sql, values: values)
            $0.maxRows = maxRows
        }
        return Rows(try await client.query(request))
    }

    /// Runs `body` in one interactive transaction: committed when it returns, rolled back when it throws.
    ///
    /// It waits its turn, then may last 2 s. Inside it the host refuses egress and calls to other plugins.
    public nonisolated(nonsending) func write<Output>(
        _ body: nonisolated(nonsending) (Transaction) async throws -> Output
    ) async throws -> Output {
        let transaction = Transaction(try await client.transact())
        do {
            let output = try await body(transaction)
            try await transaction.commit()
            return output
        } catch {
            await transaction.abandon()
            throw error
        }
    }

    /// Sends statements that need no answer in between as one transaction in one message: cheaper than ``write(_:)``.
    ///
    /// - Returns: one for each statement.
    @discardableResult
    public func commit(_ body: (inout Batch) throws -> Void) async throws -> [Rows] {
        var batch = Batch()
        try body(&batch)
        return try await client.commit(batch.message).results.map { Rows($0) }
    }

    /// Brings the schema of the instance up to date, in one transaction; for `activate()`.
    ///
    /// - Parameter dryRun: checks everything and applies nothing.
    /// - Returns: names of those applied now.
    /// - Throws: FAILED_PRECONDITION `sql.migration_edited`, `sql.migration_missing`, `sql.no_tenant`.
    @discardableResult
    public func migrate(_ migrations: [Migration], dryRun: Bool = false) async throws -> [String] {
        let request = SQLMigrateRequest.with {
            $0.migrations = migrations.map(\.message)
            $0.dryRun = dryRun
        }
        return try await client.migrate(request).applied
    }
}
