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
/// database. The whole of it: PluginAPI/STORING.md.
public struct Database: Sendable {
    let client: SQLDatabaseClient
    let owner: PreparedStatement.Owner

    /// On behalf of `scope`: a ``Call``, or the ``PluginHost`` for what belongs to no tenant, such as ``migrate(_:dryRun:)``.
    public init(_ scope: some CallScope, feature: String) {
        client = SQLDatabaseClient(scope, feature: feature)
        let connection = scope.origin.connection
        owner = .init(instance: connection.instance, generation: connection.generation, feature: feature)
    }

    /// Sends statements that need no answer in between as one transaction in one message: cheaper than ``write(_:_:)``.
    /// One that another transaction got in the way of is repeated, by the database and then as ``write(_:_:)`` is.
    ///
    /// - Returns: one for each statement.
    @discardableResult
    public func commit(_ options: WriteOptions = WriteOptions(), _ body: (inout Batch) throws -> Void) async throws
        -> [Rows]
    {
        var batch = Batch()
        try body(&batch)
        let request = batch.message(options)
        var attempt = 1
        while true {
            do {
                return try await client.commit(request).results.map { Rows($0) }
            } catch let error as PluginError where error.allowsAnotherTransaction && attempt < options.attempts {
                try await TransactionPause.take(after: attempt)
                attempt += 1
            }
        }
    }

    /// Brings the schema of the instance up to date, in one transaction; for `activate()`.
    ///
    /// - Parameter dryRun: checks everything and applies nothing.
    /// - Returns: names of those applied now.
    /// - Throws: FAILED_PRECONDITION `sql.migration_edited`, `sql.migration_missing`; INVALID_ARGUMENT `sql.not_portable`,
    ///   `sql.no_tenant`.
    @discardableResult
    public func migrate(_ migrations: [Migration], dryRun: Bool = false) async throws -> [String] {
        let request = SQLMigrateRequest.with {
            $0.migrations = migrations.map(\.message)
            $0.dryRun = dryRun
        }
        return try await client.migrate(request).applied
    }
}
