// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreContracts
import TheatreStorage

/// A caller's statement as the server gets it.
struct CallerText: Sendable {
    var sql: String
    /// The highest ?N.
    var parameters: Int
    /// Whether `:tenant` follows them.
    var hasTenant: Bool
    /// It gives no rows of its own: an INSERT, UPDATE or DELETE without RETURNING.
    var isSilent: Bool
}

/// Texts that were read, checked and rewritten before.
final class StatementTexts: Sendable {
    private struct Key: Hashable {
        var namespace: Namespace
        var purpose: SQLText.Purpose
        var sql: String
    }

    private static let capacity = 4096
    /// What callers' statements are held to; nil: nothing.
    let tenantTables: TenantTables?
    private let texts = Mutex<[Key: CallerText]>([:])
    /// Names of columns that are NOT NULL in every table of a namespace that has one.
    private let neverNull = Mutex<[Namespace: Set<String>]>([:])

    init(checksTenants: Bool) { tenantTables = checksTenants ? TenantTables() : nil }

    /// Takes a namespace's columns as its schema has them now; texts that were read before are read again.
    func learn(neverNull columns: Set<String>, in namespace: Namespace) {
        neverNull.withLock { $0[namespace] = columns }
        texts.withLock { texts in texts = texts.filter { $0.key.namespace != namespace } }
    }

    /// `sql` for the server; what ``SQLText`` and ``ServerSubset`` refuse is thrown.
    func text(
        _ sql: String, in namespace: Namespace, for purpose: SQLText.Purpose, prefix: String
    ) throws(StorageError) -> CallerText {
        let key = Key(namespace: namespace, purpose: purpose, sql: sql)
        if let known = texts.withLock({ $0[key] }) { return known }
        let columns = neverNull.withLock { $0[namespace] ?? [] }
        let text = try SQLText(sql, in: namespace, for: purpose, .postgresql, neverNull: columns.contains)
        try tenantTables?.check(text, of: namespace)
        try ServerSubset.check(sql, in: namespace, prefix: prefix)
        // A text that is for this engine only says what it means.
        let isSpecific = sql.drop { "-/* \t\n".contains($0) }.hasPrefix("engine:")
        let rewritten = isSpecific ? text.sql : try DoubleLiterals.cast(in: text.sql)
        let made = CallerText(
            sql: rewritten, parameters: text.parameters, hasTenant: text.tenant != nil,
            isSilent: RowExpectation.wrapped(rewritten, rows: 0) != nil)
        texts.withLock { texts in
            // Texts are few and written by hand; whoever makes them up on the way loses them all now and then.
            if texts.count >= Self.capacity { texts.removeAll() }
            texts[key] = made
        }
        return made
    }
}

extension Engine {
    /// A caller's statement, ready to be sent. Where it expects a number of rows and gives none itself, the server checks.
    func step(
        _ statement: SQLStatement, for scope: CallerScope, _ purpose: SQLText.Purpose, _ bounds: Bounds
    ) throws(StorageError) -> (step: Step, isSilent: Bool, isChecked: Bool) {
        let statement = try resolve(statement, for: scope)
        let text = try texts.text(statement.sql, in: scope.namespace, for: purpose, prefix: options.prefix)
        guard statement.parameters.count == text.parameters else {
            throw StorageError(
                .invalidArgument, "sql.parameters",
                "The statement has \(text.parameters) parameters and \(statement.parameters.count) values were sent.")
        }
        for value in statement.parameters {
            guard case .json(let json) = value.kind, JSONText.kind(of: json) == nil else { continue }
            throw StorageError(.invalidArgument, "sql.json", "A value that is to be JSON is none.")
        }
        var values = statement.parameters
        if text.hasTenant { values.append(SQLValue(scope.tenant)) }
        if statement.hasExpect, text.isSilent, let sql = RowExpectation.wrapped(text.sql, rows: statement.expect) {
            return (Step(sql, values, namespace: scope.namespace.name), true, true)
        }
        return (
            Step(text.sql, values, namespace: scope.namespace.name, bounds: text.isSilent ? nil : bounds),
            text.isSilent,
            !statement.hasExpect
        )
    }
}
