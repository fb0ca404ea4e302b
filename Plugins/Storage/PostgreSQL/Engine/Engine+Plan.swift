// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// Plans on the host's own tables.
extension Engine {
    /// Runs a plan that only reads, on one snapshot.
    func look<Output: Sendable>(_ plan: HostPlan<Output>) async throws(StorageError) -> Output {
        let isOne = plan.statements.count == 1
        let start = isOne ? [] : [Step("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")]
        let steps =
            start + [NamespaceRealm.enterHost(hostSchema)] + plan.statements.map { Step($0) }
            + (isOne ? [] : [Step("COMMIT")])
        return try await repeating(milliseconds: options.transactionMilliseconds) { () throws(StorageError) in
            let outcome = try await self.exchange(steps, on: self.pool, milliseconds: 30_000)
            if let error = outcome.error(in: .host, milliseconds: 30_000) { throw error }
            let first = start.count + 1
            return try plan.decode(Array(outcome.results[first..<(first + plan.statements.count)]))
        }
    }

    /// Runs a plan in one transaction and in one round trip.
    ///
    /// What is sent together without BEGIN is one transaction to the server. A plan that expects numbers of rows has to
    /// look at them before it commits, unless the server can.
    func write<Output: Sendable>(_ plan: HostPlan<Output>) async throws(StorageError) -> Output {
        let transaction = HostTransaction(plan.statements)
        return try await repeating(milliseconds: options.transactionMilliseconds) { () throws(StorageError) in
            let results =
                transaction.needsLook
                ? try await self.writeLooking(transaction) : try await self.writeAtOnce(transaction)
            return try plan.decode(results)
        }
    }

    private func writeAtOnce(_ transaction: HostTransaction) async throws(StorageError) -> [SQLRows] {
        let limit = options.transactionMilliseconds + 8000
        let steps = [NamespaceRealm.enterHost(hostSchema)] + transaction.steps
        let outcome = try await exchange(steps, on: pool, milliseconds: limit)
        if let failure = outcome.failure, failure.error.kind == .server, outcome.ending == nil {
            throw transaction.meaning(of: StorageError(failure.error, in: .host), at: failure.step - 1)
        }
        if outcome.isLost {
            // It commits with the end of what was sent, and nobody can ask how that went.
            throw .connectionLost(outcome.failure?.error.message ?? "it had gone", effect: .unknown)
        }
        if let error = outcome.error(in: .host, milliseconds: limit) { throw error }
        return transaction.results(outcome.results[1...])
    }

    private func writeLooking(_ transaction: HostTransaction) async throws(StorageError) -> [SQLRows] {
        let limit = options.transactionMilliseconds
        let lease = try await leased(pool)
        defer { lease.release() }
        let outcome = await lease.run(
            [Step("BEGIN"), NamespaceRealm.enterHost(hostSchema)] + transaction.steps, milliseconds: limit)
        if let failure = outcome.failure, failure.error.kind == .server, outcome.ending == nil {
            throw transaction.meaning(of: StorageError(failure.error, in: .host), at: failure.step - 2)
        }
        if let error = outcome.error(in: .host, milliseconds: limit) { throw error }
        let results = transaction.results(outcome.results[2...])
        try transaction.check(results)
        let ended = await lease.run([Step("COMMIT")], milliseconds: limit + 8000)
        if ended.isLost { throw .connectionLost(ended.failure?.error.message ?? "it had gone", effect: .unknown) }
        if let error = ended.error(in: .host, milliseconds: limit) { throw error }
        return results
    }
}

/// Statements on the host's own tables on their way to the server.
struct HostTransaction: Sendable {
    private let statements: [HostStatement]
    /// One for each statement.
    let steps: [Step]
    private let isWrapped: [Bool]
    /// Whether a number of rows has to be looked at before the commit.
    let needsLook: Bool

    init(_ statements: [HostStatement]) {
        self.statements = statements
        var steps: [Step] = []
        var isWrapped: [Bool] = []
        var needsLook = false
        for statement in statements {
            var step = Step(statement)
            let wrapped = statement.expect.flatMap { RowExpectation.wrapped(step.sql, rows: $0) }
            if let wrapped { step.sql = wrapped }
            if statement.expect != nil, wrapped == nil { needsLook = true }
            steps.append(step)
            isWrapped.append(wrapped != nil)
        }
        self.steps = steps
        self.isWrapped = isWrapped
        self.needsLook = needsLook
    }

    /// The statements' results as they would be without what was wrapped around them.
    func results(_ results: some Sequence<SQLRows>) -> [SQLRows] {
        zip(results, isWrapped).map { rows, isWrapped in isWrapped ? rows.unwrapped : rows }
    }

    /// Throws where a statement changed other than it must.
    func check(_ results: [SQLRows]) throws(StorageError) {
        for (statement, rows) in zip(statements, results) { try statement.check(rows) }
    }

    /// What the failure of the statement at `index` means.
    func meaning(of error: StorageError, at index: Int) -> StorageError {
        guard statements.indices.contains(index) else { return error }
        if error.reason == "sql.expectation", let unexpected = statements[index].unexpected { return unexpected }
        return statements[index].meaning(of: error)
    }
}

extension SQLRows {
    /// Of a statement that ``RowExpectation`` wrapped: its one value is the number of rows changed.
    var unwrapped: SQLRows {
        .with { $0.changed = UInt32(clamping: rows.first?.values.first?.integer ?? 0) }
    }
}
