// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreStorage

/// Transactions in one message.
extension Engine {
    /// Runs statements and attachments in one transaction; one that another got in the way of is repeated.
    func commit(_ request: SQLCommitRequest, for scope: CallerScope) async throws(StorageError) -> SQLCommitResponse {
        try admit(scope)
        let limit = request.timeoutMs == 0 ? options.transactionMilliseconds : Int(request.timeoutMs)
        let bounds = Bounds(rows: 10_000, bytes: options.answerBytes)
        let realm = try await realm(of: scope.namespace)
        var statements: [(step: Step, isSilent: Bool, isChecked: Bool)] = []
        for (index, statement) in request.statements.enumerated() {
            do throws(StorageError) {
                statements.append(try step(statement, for: scope, .write, bounds))
            } catch {
                throw error.at("/statements/\(index)")
            }
        }
        let run = CommitRun(
            engine: self, request: request, scope: scope, realm: realm, statements: statements, limit: limit,
            bounds: bounds)
        let response = try await repeating(milliseconds: limit) { () throws(StorageError) in try await run.attempt() }
        committed(events: response.lastOffset > 0, jobs: !response.jobIds.isEmpty)
        return response
    }

    /// What is stored with a commit.
    func commitTail(
        _ attachments: SQLAttachments, changed: Bool, for scope: CallerScope
    ) throws(StorageError) -> CommitTail {
        CommitTail(
            try Attachments.plan(
                attachments, changed: changed, for: scope, at: environment.now(), newID: environment.newID, .postgresql),
            hostSchema: hostSchema)
    }
}

/// One message's transaction, as often as it takes.
private struct CommitRun: Sendable {
    let engine: Engine
    let request: SQLCommitRequest
    let scope: CallerScope
    let realm: NamespaceRealm
    let statements: [(step: Step, isSilent: Bool, isChecked: Bool)]
    let limit: Int
    let bounds: Bounds

    /// The steps up to the attachments.
    private var opening: [Step] {
        [request.isolation.begin]
            + (statements.isEmpty
                ? [] : [realm.enter(reading: false, statementMilliseconds: limit, idleMilliseconds: limit + 1000)])
            + statements.map(\.step)
    }

    private var firstStatement: Int { statements.isEmpty ? 1 : 2 }

    /// Whether what is stored with the commit is told only by what the statements changed.
    private var auditsChange: Bool {
        let context = scope.context
        return context.audit == "change" && !request.attachments.hasAnswer && !context.route.isEmpty
    }

    /// Whether the COMMIT may be sent along: nothing has to be looked at before it.
    private func goesAtOnce(_ tail: CommitTail) -> Bool {
        !tail.needsLook && statements.allSatisfy { $0.isSilent && $0.isChecked }
    }

    func attempt() async throws(StorageError) -> SQLCommitResponse {
        if auditsChange { return try await attemptLookingFirst() }
        let tail = try engine.commitTail(request.attachments, changed: false, for: scope)
        guard goesAtOnce(tail) else { return try await attemptLooking(tail) }
        let opening = opening
        let outcome = try await engine.exchange(opening + tail.steps, on: engine.pool, milliseconds: limit)
        return try await finish(outcome, after: opening.count, tail, silent: outcome.results[...])
    }

    /// In two round trips: everything up to the COMMIT, and the COMMIT once that was looked at.
    private func attemptLooking(_ tail: CommitTail) async throws(StorageError) -> SQLCommitResponse {
        let lease = try await engine.leased(engine.pool)
        defer { lease.release() }
        let started = monotonicMilliseconds()
        let opening = opening
        let held = await lease.run(opening + tail.stepsBeforeCommit, milliseconds: limit)
        if held.failure.map({ $0.step < opening.count }) ?? true,
            let error = error(of: held, tail: tail, after: opening.count)
        {
            throw error
        }
        let results = Array(held.results[firstStatement..<opening.count])
        try checkExpectations(results)
        if let error = error(of: held, tail: tail, after: opening.count) { throw error }
        try tail.check(held.results[opening.count...])
        let left = max(10, limit - Int(monotonicMilliseconds() - started))
        let ended = await lease.run([Step("COMMIT")], milliseconds: left).following(held)
        return try await finish(ended, after: opening.count, tail, silent: results[...], known: rows(results[...]))
    }

    /// In as many round trips as it takes, where what is stored depends on what the statements changed.
    private func attemptLookingFirst() async throws(StorageError) -> SQLCommitResponse {
        let lease = try await engine.leased(engine.pool)
        defer { lease.release() }
        let started = monotonicMilliseconds()
        let outcome = await lease.run(opening, milliseconds: limit)
        if let error = error(of: outcome, tail: nil, after: 0) { throw error }
        let results = Array(outcome.results[firstStatement...])
        try checkExpectations(results)
        let rows = rows(results[...])
        let tail = try engine.commitTail(request.attachments, changed: rows.contains { $0.changed > 0 }, for: scope)
        let left = max(10, limit - Int(monotonicMilliseconds() - started))
        guard tail.needsLook else {
            let ended = await lease.run(tail.steps, milliseconds: left)
            return try await finish(ended, after: 0, tail, silent: results[...], known: rows)
        }
        let held = await lease.run(tail.stepsBeforeCommit, milliseconds: left)
        if let error = error(of: held, tail: tail, after: 0) { throw error }
        try tail.check(held.results[...])
        let ended = await lease.run([Step("COMMIT")], milliseconds: left).following(held)
        return try await finish(ended, after: 0, tail, silent: results[...], known: rows)
    }

    /// Throws where a statement whose rows the server does not count itself changed other than it must.
    private func checkExpectations(_ results: [SQLRows]) throws(StorageError) {
        for (index, statement) in request.statements.enumerated() where statement.hasExpect {
            guard !statements[index].isChecked, results[index].changed != statement.expect else { continue }
            throw RowExpectation.failure(expected: statement.expect, changed: results[index].changed)
                .at("/statements/\(index)")
        }
    }

    /// The statements' results as a caller sees them.
    private func rows(_ results: ArraySlice<SQLRows>) -> [SQLRows] {
        zip(results, zip(request.statements, statements)).map { rows, statement in
            statement.0.hasExpect && statement.1.isSilent ? rows.unwrapped : rows
        }
    }

    private func finish(
        _ outcome: ExchangeOutcome, after first: Int, _ tail: CommitTail, silent: ArraySlice<SQLRows>,
        known: [SQLRows]? = nil
    ) async throws(StorageError) -> SQLCommitResponse {
        // Once the COMMIT has answered nothing undoes it, not even the end of the connection right behind it.
        let isCommitted = outcome.results.count == first + tail.steps.count
        if isCommitted {
            // What was cancelled at its COMMIT is committed, but did not wait for a synchronous standby.
            let isSure = if outcome.ending == nil { true } else { await engine.isKept() }
            guard isSure else { throw .connectionLost("it was cancelled", effect: .unknown) }
        } else {
            let reached = outcome.results.count - first
            // Everything before the COMMIT went well, or at least nothing says that it did not.
            if outcome.isLost,
                outcome.failure.map({ $0.error.kind == .connection || reached == tail.steps.count - 1 }) ?? true
            {
                try await engine.learnOutcome(
                    number: tail.number(outcome.results[min(first, outcome.results.count)...]), tail.witness,
                    message: outcome.failure?.error.message ?? "it had gone")
            } else if let error = error(of: outcome, tail: tail, after: first) {
                throw error
            }
        }
        return try response(outcome, after: first, tail, silent: silent, known: known)
    }

    private func response(
        _ outcome: ExchangeOutcome, after first: Int, _ tail: CommitTail, silent: ArraySlice<SQLRows>,
        known: [SQLRows]?
    ) throws(StorageError) -> SQLCommitResponse {
        var response = try tail.response(outcome.results[first...])
        response.results = known ?? rows(silent.dropFirst(firstStatement).prefix(statements.count))
        return response
    }

    /// Why the transaction failed, and where.
    private func error(of outcome: ExchangeOutcome, tail: CommitTail?, after first: Int) -> StorageError? {
        guard
            var error = outcome.error(
                in: scope.namespace, milliseconds: limit, rows: bounds.rows, bytes: bounds.bytes)
        else { return nil }
        if error.reason == "sql.statement_timeout" { error = .transactionTimeout(milliseconds: limit) }
        let step = outcome.failure?.step ?? outcome.results.count
        if let tail, step >= first { return tail.meaning(of: error, at: step - first) }
        guard step >= firstStatement, step < firstStatement + statements.count, !error.isPassing else { return error }
        let index = step - firstStatement
        if error.reason == "sql.expectation" {
            error.message =
                "\(request.statements[index].expect) rows should have changed and another number did."
        }
        return error.at("/statements/\(index)")
    }
}

extension Engine {
    /// Finds out whether a transaction whose connection ended at its COMMIT is committed; throws where it is not, or where
    /// that cannot be learned.
    ///
    /// Its number alone would not do: a server that crashed may give a number again whose transaction left no trace. One
    /// that is aborted, or not yet given, is none of ours; one that is committed is ours where its row is there.
    func learnOutcome(number: String?, _ witness: Witness?, message: String) async throws(StorageError) {
        let unknown = StorageError.connectionLost(message, effect: .unknown)
        guard let number else { throw unknown }
        let end = monotonicMilliseconds() + 10_000
        let ask = Step("SELECT pg_xact_status(CAST(CAST($1 AS TEXT) AS xid8))", [SQLValue(number)], isPrepared: false)
        let steps = [NamespaceRealm.enterHost(hostSchema), ask] + (witness.map { [$0.step] } ?? [])
        while monotonicMilliseconds() < end, !Task.isCancelled {
            if let outcome = try? await exchange(steps, on: pool, milliseconds: 5000) {
                // The number lies in the server's future: it never heard of the transaction.
                if outcome.failure?.error.state == "22023" { throw .connectionLost(message) }
                if outcome.isComplete {
                    switch outcome.results[1].rows.first?.values.first?.text {
                    case "aborted": throw .connectionLost(message)
                    case "committed":
                        guard witness != nil, !outcome.results[2].rows.isEmpty, await isKept() else { throw unknown }
                        return
                    case "in progress": break
                    default: throw unknown
                    }
                }
            }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { throw unknown }
        }
        throw unknown
    }

    /// Whether everything committed so far is where commits have to be: a commit of its own, which waits for the
    /// synchronous standby, comes after them. One that was cancelled or cut off while it waited did not.
    func isKept() async -> Bool {
        let write = Step(
            """
            INSERT INTO host__leases (owner, name, holder, fencing_token, expires_at)
            VALUES ('host', 'postgresql.kept', '', 0, 0) ON CONFLICT (owner, name) DO UPDATE SET expires_at = 0
            """)
        let steps = [NamespaceRealm.enterHost(hostSchema), write]
        guard let outcome = try? await exchange(steps, on: pool, milliseconds: 5000) else { return false }
        return outcome.isComplete
    }
}
