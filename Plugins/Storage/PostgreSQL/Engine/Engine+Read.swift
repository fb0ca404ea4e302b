// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreStorage

/// Reading.
extension Engine {
    /// Runs one SELECT on a snapshot, on a replica where that may be behind and is not too far.
    func query(_ request: SQLQueryRequest, for scope: CallerScope) async throws(StorageError) -> SQLRows {
        try admit(scope)
        let bounds = Bounds(rows: request.maxRows == 0 ? 10_000 : Int(request.maxRows), bytes: options.answerBytes)
        let realm = try await realm(of: scope.namespace)
        let step = try step(request.statement, for: scope, .query, bounds).step
        let limit = Int(request.timeoutMs)
        let steps = [
            realm.enter(reading: true, statementMilliseconds: limit, idleMilliseconds: 60_000), step,
        ]
        if let rows = await queryReplica(steps, behind: request.maxStalenessMs, limit) { return rows }
        return try await repeating(milliseconds: options.transactionMilliseconds) { () throws(StorageError) in
            // The server's own limit comes first; this one is for a server that is silent.
            let outcome = try await self.exchange(steps, on: self.pool, milliseconds: limit == 0 ? 0 : limit + 500)
            if let error = outcome.error(
                in: scope.namespace, milliseconds: limit, rows: bounds.rows, bytes: bounds.bytes)
            {
                throw error.reason == "sql.statement_timeout"
                    ? .statementTimeout(milliseconds: limit) : Self.ofQuery(error)
            }
            return outcome.results[1]
        }
    }

    /// A statement that would write is no query, which the server says in its own way.
    static func ofQuery(_ error: StorageError) -> StorageError {
        guard error.reason == "sql.read_only" else { return error }
        return StorageError(.invalidArgument, "sql.not_a_query", "A query only reads; send this statement in a commit.")
    }

    /// Checks a statement and numbers it.
    func prepare(_ request: SQLPrepareRequest, for scope: CallerScope) async throws(StorageError) -> SQLPrepareResponse
    {
        try admit(scope)
        let realm = try await realm(of: scope.namespace)
        let text = try texts.text(request.sql, in: scope.namespace, for: .write, prefix: options.prefix)
        let lease = try await leased(pool)
        defer { lease.release() }
        // Described by the server without being run: types of parameters that nothing tells are text to it.
        _ = try await lease.results(
            [
                Step("BEGIN"), realm.enter(reading: false, statementMilliseconds: 2000, idleMilliseconds: 2000),
                Step("PREPARE theatre_check AS \(text.sql)", isPrepared: false),
                Step("DEALLOCATE theatre_check", isPrepared: false), Step("ROLLBACK"),
            ], in: scope.namespace, milliseconds: 5000)
        return .with { $0.statementID = numbers.withLock { $0.number(of: request.sql, for: scope.caller) } }
    }

    /// Runs one SELECT on a snapshot and gives its rows in pieces to `send`, which holds the statement back.
    ///
    /// Of a replica where that may be behind and is not too far; one that fails before its first row is as if it were not
    /// there.
    func queryStream(
        _ request: SQLQueryRequest, for scope: CallerScope, send: (SQLRows) async throws -> Void
    ) async throws {
        try admit(scope)
        let bounds = Bounds(rows: request.maxRows == 0 ? .max : Int(request.maxRows), bytes: options.answerBytes)
        let realm = try await realm(of: scope.namespace)
        let step = try step(request.statement, for: scope, .query, bounds).step
        let limit = Int(request.timeoutMs)
        let steps = [realm.enter(reading: true, statementMilliseconds: limit, idleMilliseconds: 60_000), step]
        if let lease = await replicaLease(behind: request.maxStalenessMs) {
            let stream = try await stream(steps, on: lease, limit, send)
            guard let outcome = stream.outcome, !stream.hasSent, outcome.ending == nil, !outcome.isComplete else {
                return try await end(stream, in: scope.namespace, limit, bounds, send)
            }
            let error = outcome.error(in: .host, milliseconds: limit)
            // What the statement itself is at fault for, the primary says.
            if error?.isPassing == true { noticedReplica(error) }
        }
        let stream = try await stream(steps, on: try await leased(pool), limit, send)
        try await end(stream, in: scope.namespace, limit, bounds, send)
    }

    /// Gives the rows of the last of `steps` to `send` as they come, all but the last piece.
    private func stream(
        _ steps: [Step], on lease: Lease, _ limit: Int, _ send: (SQLRows) async throws -> Void
    ) async throws -> RowStream {
        defer { lease.release() }
        let stream = RowStream(lease: lease, stallMilliseconds: options.streamStallMilliseconds, loop: pool.loop)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let outcome = await lease.run(steps, milliseconds: limit == 0 ? 0 : limit + 500, sink: stream)
                stream.end(outcome)
            }
            while let rows = await stream.next() { try await send(rows) }
            try await group.waitForAll()
        }
        return stream
    }

    /// Throws what the statement failed with, or gives the last piece.
    private func end(
        _ stream: RowStream, in namespace: Namespace, _ limit: Int, _ bounds: Bounds,
        _ send: (SQLRows) async throws -> Void
    ) async throws {
        guard let outcome = stream.outcome else { return }
        let isStalled = outcome.ending == .stalled
        if let error = outcome.error(
            in: namespace, milliseconds: isStalled ? options.streamStallMilliseconds : limit, rows: bounds.rows,
            bytes: bounds.bytes)
        {
            throw Self.ofQuery(error)
        }
        // It has the columns where there were no rows at all.
        if let rest = outcome.results.last, !rest.rows.isEmpty || !stream.hasSent { try await send(rest) }
    }
}
