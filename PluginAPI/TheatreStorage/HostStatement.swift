// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// A statement on the host's own tables.
public struct HostStatement: Sendable, Hashable {
    /// In the engine's language, but with parameters as `?1`, `?2`, …: ``Dialect/parameters(in:)`` names them.
    ///
    /// The same text for every call of a plan where possible, so that it is prepared once.
    public var sql: String
    /// For `?1`, `?2`, …
    public var values: [SQLValue]
    /// Rows it must change; anything else is ``unexpected``.
    public var expect: UInt32?
    /// What to say where it changed other than ``expect`` rows.
    public var unexpected: StorageError?
    /// What a unique key that is taken means here, in place of `sql.unique`.
    public var conflict: StorageError?

    /// A statement with its values.
    public init(
        _ sql: String, _ values: [SQLValue] = [], expect: UInt32? = nil, unexpected: StorageError? = nil,
        conflict: StorageError? = nil
    ) {
        self.sql = sql
        self.values = values
        self.expect = expect
        self.unexpected = unexpected
        self.conflict = conflict
    }

    /// What the statement's failure means.
    public func meaning(of error: StorageError) -> StorageError {
        guard let conflict, error.reason == "sql.unique" else { return error }
        return conflict
    }

    /// Throws where it did not change what it must.
    public func check(_ rows: SQLRows) throws(StorageError) {
        guard let expect, rows.changed != expect else { return }
        throw unexpected
            ?? StorageError(
                .aborted, "sql.expectation", "\(expect) rows should have changed and \(rows.changed) did.", retry: .safe
            )
    }
}

/// Statements that run one after another in one transaction, and what their rows say.
///
/// No statement depends on another's rows, so an engine may send them all at once.
public struct HostPlan<Output: Sendable>: Sendable {
    /// In order.
    public var statements: [HostStatement]
    private let decoding: @Sendable ([SQLRows]) throws(StorageError) -> Output

    /// A plan whose rows, one entry for each statement, `decoding` reads.
    public init(
        _ statements: [HostStatement], decoding: @escaping @Sendable ([SQLRows]) throws(StorageError) -> Output
    ) {
        self.statements = statements
        self.decoding = decoding
    }

    /// What the statements' rows say; one entry for each statement, in order.
    public func decode(_ results: [SQLRows]) throws(StorageError) -> Output {
        guard results.count == statements.count else {
            throw StorageError(
                .internal, "sql.engine", "\(statements.count) statements ran and \(results.count) answered.")
        }
        return try decoding(results)
    }
}

extension HostPlan where Output == Void {
    /// A plan that only writes.
    public init(_ statements: [HostStatement]) {
        self.init(statements) { (_: [SQLRows]) throws(StorageError) in }
    }
}
