// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreContracts
import TheatreStorage

/// A write transaction whose statements come one after another.
///
/// The writer's thread serves it alone from its turn until it ends, at most its limit; then it may share its commit with
/// others. Every use after the end throws what ended it.
final class InteractiveTransaction: GroupMember {
    private enum Step: Sendable {
        case statement(SQLStatement, CheckedContinuation<SQLRows, any Error>)
        case commit(SQLAttachments, CheckedContinuation<SQLCommitResponse, any Error>)
        case rollback
    }

    private struct State {
        /// Who waits for its turn.
        var opened: CheckedContinuation<Void, any Error>?
        /// Who waits for the commit, and with what.
        var committing: (CheckedContinuation<SQLCommitResponse, any Error>, SQLCommitResponse)?
        var ending = StorageError(.failedPrecondition, "sql.transaction_ended", "The transaction has ended.")
    }

    /// Undoes it; nobody is told.
    private struct RolledBack: Error {}

    private let engine: Engine
    private let scope: CallerScope
    private let milliseconds: Int
    private let steps = Mailbox<Step>()
    private let cancellation = Cancellation()
    private let state = Mutex(State())

    /// A transaction that is open for at most so many milliseconds.
    init(engine: Engine, scope: CallerScope, milliseconds: Int) {
        self.engine = engine
        self.milliseconds = milliseconds
        self.scope = scope
    }

    /// Waits for the writer and begins.
    func open() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (opened: CheckedContinuation<Void, any Error>) in
                state.withLock { $0.opened = opened }
                engine.writer.enqueue(self)
            }
        } onCancel: {
            cancellation.raise()
        }
    }

    /// Runs one statement; one that fails rolls everything back.
    func run(_ statement: SQLStatement) async throws -> SQLRows {
        let statement = try engine.resolve(statement, for: scope)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if !steps.push(.statement(statement, continuation)) { continuation.resume(throwing: ending) }
            }
        } onCancel: {
            cancellation.raise()
        }
    }

    /// Commits with `attachments`.
    func commit(_ attachments: SQLAttachments) async throws -> SQLCommitResponse {
        let response = try await withCheckedThrowingContinuation { continuation in
            if !steps.push(.commit(attachments, continuation)) { continuation.resume(throwing: ending) }
        }
        engine.committed(response)
        return response
    }

    /// Rolls back; without effect after the end.
    func rollback() {
        cancellation.raise()
        _ = steps.push(.rollback)
    }

    private var ending: StorageError { state.withLock { $0.ending } }

    // MARK: On the writer's thread

    /// Its caller has seen what its statements gave, so it cannot run once more unseen.
    var isRepeatable: Bool { false }

    func run(on connection: Connection) throws {
        guard isWanted else { throw StorageError.cancelled }
        let deadline = monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        takeOpened()?.resume()
        do {
            try serve(connection, until: deadline)
            finish(nil)
        } catch {
            finish(error)
            throw error
        }
    }

    func settle(_ error: (any Error)?) {
        if let error { takeOpened()?.resume(throwing: error) }
        let committing = state.withLock { state in
            defer { state.committing = nil }
            if let error = error as? StorageError { state.ending = error }
            return state.committing
        }
        guard let (continuation, response) = committing else { return }
        if let error { continuation.resume(throwing: error) } else { continuation.resume(returning: response) }
    }

    private func takeOpened() -> CheckedContinuation<Void, any Error>? {
        state.withLock { state in
            defer { state.opened = nil }
            return state.opened
        }
    }

    var isWanted: Bool { !cancellation.isRaised && scope.isWanted() }

    /// Takes steps until the one that commits; throws where it is to be undone.
    private func serve(_ connection: Connection, until deadline: UInt64) throws {
        var changed = false
        while true {
            guard let step = steps.pop(until: deadline) else {
                throw StorageError.transactionTimeout(milliseconds: milliseconds)
            }
            switch step {
            case .statement(let statement, let continuation):
                changed = try take(statement, continuation, connection, until: deadline) || changed
            case .commit(let attachments, let continuation):
                do {
                    let response = try serving(connection, until: deadline) {
                        try engine.attach(attachments, changed: changed, for: scope, on: connection)
                    }
                    try connection.checkDeferredKeys()
                    return state.withLock { $0.committing = (continuation, response) }
                } catch {
                    continuation.resume(throwing: error)
                    throw error
                }
            case .rollback: throw RolledBack()
            }
        }
    }

    /// Runs a statement; true where it changed something.
    private func take(
        _ statement: SQLStatement, _ continuation: CheckedContinuation<SQLRows, any Error>, _ connection: Connection,
        until deadline: UInt64
    ) throws -> Bool {
        do {
            let rows = try serving(connection, until: deadline) {
                try connection.runChecked(
                    statement, for: scope, bounds: Bounds(rows: 10_000, bytes: engine.options.answerBytes))
            }
            continuation.resume(returning: rows)
            return rows.changed > 0
        } catch {
            continuation.resume(throwing: error)
            throw error
        }
    }

    /// Runs `body` while somebody waits and the limit has not passed.
    private func serving<Output>(
        _ connection: Connection, until deadline: UInt64, _ body: () throws -> Output
    ) throws -> Output {
        do {
            return try connection.serving(while: { self.isWanted && monotonicNanoseconds() < deadline }, body)
        } catch let error as StorageError where error.reason == "sql.cancelled" && monotonicNanoseconds() >= deadline {
            throw StorageError.transactionTimeout(milliseconds: milliseconds)
        }
    }

    /// Tells steps that still come why there are no more.
    private func finish(_ error: (any Error)?) {
        if let error = error as? StorageError { state.withLock { $0.ending = error } }
        steps.close()
        while let late = steps.pop() {
            switch late {
            case .statement(_, let continuation): continuation.resume(throwing: ending)
            case .commit(_, let continuation): continuation.resume(throwing: ending)
            case .rollback: break
            }
        }
    }
}
