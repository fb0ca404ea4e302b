// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreContracts
import TheatreStorage

/// A transaction whose statements come one after another, on a connection of its own.
///
/// One caller uses it, one step at a time. Its first statement goes along with its beginning. It ends at its limit, even
/// where no step comes.
final class InteractiveTransaction: Sendable {
    private struct State {
        var hasBegun = false
        var changed = false
        var ending: StorageError?
        var timer: TimerQueue.ID?
    }

    private let engine: Engine
    private let scope: CallerScope
    private let realm: NamespaceRealm
    private let begin: SQLBegin
    private let lease: Lease
    private let limit: Int
    private let deadline: UInt64
    private let state = Mutex(State())
    private let bounds: Bounds

    fileprivate init(
        engine: Engine, scope: CallerScope, realm: NamespaceRealm, begin: SQLBegin, lease: Lease, limit: Int
    ) {
        self.engine = engine
        self.scope = scope
        self.realm = realm
        self.begin = begin
        self.lease = lease
        self.limit = limit
        deadline = monotonicMilliseconds() + UInt64(limit)
        bounds = Bounds(rows: 10_000, bytes: engine.options.answerBytes)
        engine.pool.loop.execute { [weak self] in self?.armTimer() }
    }

    deinit { rollback() }

    /// On the loop's thread.
    private func armTimer() {
        let timer = engine.pool.loop.after(milliseconds: limit) { [weak self] in
            guard let self else { return }
            self.end(.transactionTimeout(milliseconds: self.limit))
        }
        state.withLock { $0.timer = timer }
    }

    /// The first ending counts; what runs is cancelled and the connection goes back.
    private func end(_ error: StorageError) {
        let isFirst = state.withLock { state in
            defer { if state.ending == nil { state.ending = error } }
            return state.ending == nil
        }
        guard isFirst else { return }
        lease.stop(.deadline)
        lease.release()
    }

    /// Rolls back; without effect after the end.
    func rollback() {
        end(StorageError(.failedPrecondition, "sql.transaction_ended", "The transaction has ended."))
        let timer = state.withLock { state in
            defer { state.timer = nil }
            return state.timer
        }
        if let timer { engine.pool.loop.execute { [loop = engine.pool.loop] in loop.cancel(timer) } }
    }

    /// What precedes the first statement.
    private func opening() throws(StorageError) -> [Step] {
        let (hasBegun, ending) = state.withLock { state in
            defer { state.hasBegun = true }
            return (state.hasBegun, state.ending)
        }
        if let ending { throw ending }
        guard !hasBegun else { return [] }
        let first = begin.readOnly ? Step("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") : begin.isolation.begin
        return [first, realm.enter(reading: false, statementMilliseconds: limit, idleMilliseconds: limit + 1000)]
    }

    private var left: Int { max(1, Int(Int64(bitPattern: deadline &- monotonicMilliseconds()))) }

    /// Runs one statement; one that fails rolls everything back.
    func run(_ statement: SQLStatement) async throws(StorageError) -> SQLRows {
        let prepared: (step: Step, isSilent: Bool, isChecked: Bool)
        do throws(StorageError) {
            prepared = try engine.step(statement, for: scope, begin.readOnly ? .query : .write, bounds)
        } catch {
            end(error)
            throw error
        }
        let opening = try opening()
        let outcome = await lease.run(opening + [prepared.step], milliseconds: left)
        if let error = error(of: outcome) {
            end(error)
            throw error
        }
        var rows = outcome.results[opening.count]
        if statement.hasExpect, prepared.isChecked { rows = rows.unwrapped }
        if statement.hasExpect, !prepared.isChecked, rows.changed != statement.expect {
            let error = RowExpectation.failure(expected: statement.expect, changed: rows.changed)
            end(error)
            throw error
        }
        if rows.changed > 0 { state.withLock { $0.changed = true } }
        return rows
    }

    private func error(of outcome: ExchangeOutcome) -> StorageError? {
        let ended = state.withLock { $0.ending }
        guard
            let error = outcome.error(
                in: scope.namespace, milliseconds: limit, rows: bounds.rows, bytes: bounds.bytes)
        else { return nil }
        if let ended { return ended }
        if begin.readOnly, error.reason == "sql.read_only" {
            return StorageError(
                .invalidArgument, "sql.not_a_query", "This transaction only reads; write in one that does not.")
        }
        engine.noticed(error)
        return error.reason == "sql.statement_timeout" ? .transactionTimeout(milliseconds: limit) : error
    }

    /// Commits with `attachments`.
    func commit(_ attachments: SQLAttachments) async throws(StorageError) -> SQLCommitResponse {
        let changed = state.withLock { $0.changed }
        if begin.readOnly {
            guard attachments == SQLAttachments() else {
                throw StorageError(.invalidArgument, "sql.read_only", "A transaction that only reads stores nothing.")
            }
            rollback()
            return SQLCommitResponse()
        }
        let tail: CommitTail
        do throws(StorageError) {
            tail = try engine.commitTail(attachments, changed: changed, for: scope)
        } catch {
            end(error)
            throw error
        }
        let opening = try opening()
        var outcome = ExchangeOutcome()
        var steps = opening + tail.steps
        if tail.needsLook {
            outcome = await lease.run(Array(steps.dropLast()), milliseconds: left)
            if outcome.isComplete { try tail.check(outcome.results[opening.count...]) }
            steps = [steps[steps.count - 1]]
        }
        if outcome.isComplete {
            let before = outcome.results
            outcome = await lease.run(steps, milliseconds: left)
            outcome.results = before + outcome.results
            if let failure = outcome.failure { outcome.failure = (failure.step + before.count, failure.error) }
        }
        try await settle(outcome, tail, after: opening.count)
        rollback()
        let response = try tail.response(outcome.results[opening.count...])
        engine.committed(events: response.lastOffset > 0, jobs: !response.jobIds.isEmpty)
        return response
    }

    /// Returns where the transaction is committed.
    private func settle(_ outcome: ExchangeOutcome, _ tail: CommitTail, after first: Int) async throws(StorageError) {
        // Once the COMMIT has answered nothing undoes it, not even the end of the connection right behind it.
        if outcome.results.count == first + tail.steps.count {
            // What was cancelled at its COMMIT is committed, but did not wait for a synchronous standby.
            let isSure = if outcome.ending == nil { true } else { await engine.isKept() }
            guard isSure else { throw .connectionLost("it was cancelled", effect: .unknown) }
            return
        }
        let hasPassed = outcome.results.count >= first + tail.steps.count - 1
        if outcome.isLost, outcome.failure.map({ $0.error.kind == .connection || hasPassed }) ?? true {
            rollback()
            return try await engine.learnOutcome(
                number: tail.number(outcome.results[min(first, outcome.results.count)...]), tail.witness,
                message: outcome.failure?.error.message ?? "it had gone")
        }
        guard let failed = error(of: outcome) else { return }
        let step = outcome.failure?.step ?? outcome.results.count
        let error = step >= first ? tail.meaning(of: failed, at: step - first) : failed
        end(error)
        throw error
    }
}

extension Engine {
    /// Begins a transaction once there is a connection for it: of a replica where it only reads, may be behind, and one is
    /// not too far.
    func begin(_ begin: SQLBegin = SQLBegin(), for scope: CallerScope) async throws(StorageError)
        -> InteractiveTransaction
    {
        try admit(scope)
        let most = options.transactionMilliseconds
        let limit = begin.timeoutMs == 0 ? most : min(most, Int(begin.timeoutMs))
        let realm = try await realm(of: scope.namespace)
        let replica = begin.readOnly ? await replicaLease(behind: begin.maxStalenessMs) : nil
        let lease = if let replica { replica } else { try await leased(pool) }
        return InteractiveTransaction(
            engine: self, scope: scope, realm: realm, begin: begin, lease: lease, limit: limit)
    }
}
