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
        if request.maxStalenessMs > 0, let replicas,
            let rows = await queryReplica(steps, on: replicas, behind: Int64(request.maxStalenessMs), limit)
        {
            return rows
        }
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

    /// The rows, nil where no replica could give them well enough: the primary is asked then.
    private func queryReplica(
        _ steps: [Step], on replicas: Pool, behind most: Int64, _ limit: Int
    ) async -> SQLRows? {
        let lag = Step(
            """
            SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0 ELSE CAST(1000 * EXTRACT(EPOCH FROM
                clock_timestamp() - pg_last_xact_replay_timestamp()) AS BIGINT) END
            """)
        let outcome: ExchangeOutcome
        do throws(PoolError) {
            outcome = try await replicas.run([lag] + steps, milliseconds: limit == 0 ? 30_000 : limit + 500)
        } catch {
            noticedReplica(StorageError(error))
            return nil
        }
        // What the statement itself is at fault for, the primary says.
        if let failure = outcome.failure, failure.error.kind == .server, !outcome.isLost, outcome.ending == nil,
            failure.step > 0
        {
            let error = StorageError(failure.error, in: .host)
            if error.isPassing { noticedReplica(error) }
            return nil
        }
        noticedReplica(outcome.ending == .caller ? nil : outcome.error(in: .host, milliseconds: limit))
        guard outcome.isComplete, let behind = outcome.results[0].rows.first?.values.first, behind.kind != nil,
            behind.integer <= most
        else { return nil }
        return outcome.results[2]
    }

    /// Says once that replicas fail, and again only after one has answered in between.
    private func noticedReplica(_ error: StorageError?) {
        guard let error else { return replicasFail.store(false, ordering: .relaxed) }
        guard error.code != .cancelled, !replicasFail.exchange(true, ordering: .relaxed) else { return }
        environment.warn(
            "a replica failed, the primary is asked", ["error.reason": error.reason, "error.message": error.message])
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
        return .with { $0.statementID = numbers.withLock { $0.number(of: request.sql, for: scope.context.caller) } }
    }

    /// Runs one SELECT on a snapshot and gives its rows in pieces to `send`, which holds the statement back.
    func queryStream(
        _ request: SQLQueryRequest, for scope: CallerScope, send: (SQLRows) async throws -> Void
    ) async throws {
        try admit(scope)
        let bounds = Bounds(rows: request.maxRows == 0 ? .max : Int(request.maxRows), bytes: options.answerBytes)
        let realm = try await realm(of: scope.namespace)
        let step = try step(request.statement, for: scope, .query, bounds).step
        let limit = Int(request.timeoutMs)
        let enter = realm.enter(
            reading: true, statementMilliseconds: limit, idleMilliseconds: 60_000)
        let lease = try await leased(pool)
        defer { lease.release() }
        let stream = RowStream(lease: lease, stallMilliseconds: options.streamStallMilliseconds, loop: pool.loop)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let outcome = await lease.run([enter, step], milliseconds: limit == 0 ? 0 : limit + 500, sink: stream)
                stream.end(outcome)
            }
            while let rows = await stream.next() { try await send(rows) }
            try await group.waitForAll()
        }
        guard let outcome = stream.outcome else { return }
        if let error = outcome.error(
            in: scope.namespace, milliseconds: outcome.ending == .stalled ? options.streamStallMilliseconds : limit,
            rows: bounds.rows, bytes: bounds.bytes)
        {
            throw error
        }
        // The last piece, which has the columns where there were no rows at all.
        if let rest = outcome.results.last, !rest.rows.isEmpty || !stream.hasSent { try await send(rest) }
    }
}
