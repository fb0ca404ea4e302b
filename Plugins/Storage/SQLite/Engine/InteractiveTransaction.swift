// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreContracts
import TheatreStorage

/// A write transaction whose statements come one after another.
///
/// The writer's thread serves it alone from its turn until it ends, at most the engine's limit. Every use after the end
/// throws what ended it.
final class InteractiveTransaction: Sendable {
    private enum Step: Sendable {
        case statement(SQLStatement, CheckedContinuation<SQLRows, any Error>)
        case commit(SQLAttachments, CheckedContinuation<SQLCommitResponse, any Error>)
        case rollback
    }

    private let engine: Engine
    private let scope: CallerScope
    private let milliseconds: Int
    private let steps = Mailbox<Step>()
    private let cancellation = Cancellation()
    private let ending = Mutex<StorageError>(
        StorageError(.failedPrecondition, "sql.transaction_ended", "The transaction has ended."))

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
                engine.writer.enqueue { result in self.serve(result, opened) }
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
                if !steps.push(.statement(statement, continuation)) { continuation.resume(throwing: endingError) }
            }
        } onCancel: {
            cancellation.raise()
        }
    }

    /// Commits with `attachments`.
    func commit(_ attachments: SQLAttachments) async throws -> SQLCommitResponse {
        let response = try await withCheckedThrowingContinuation { continuation in
            if !steps.push(.commit(attachments, continuation)) { continuation.resume(throwing: endingError) }
        }
        engine.committed(response.lastOffset)
        return response
    }

    /// Rolls back; without effect after the end.
    func rollback() {
        cancellation.raise()
        _ = steps.push(.rollback)
    }

    private var endingError: StorageError { ending.withLock { $0 } }

    // MARK: On the writer's thread

    private func serve(_ result: Result<Connection, StorageError>, _ opened: CheckedContinuation<Void, any Error>) {
        let deadline = monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        do {
            let connection = try result.get()
            guard isWanted else { throw StorageError.cancelled }
            try connection.execute("BEGIN IMMEDIATE")
            opened.resume()
            serve(connection, until: deadline)
        } catch {
            opened.resume(throwing: error)
        }
    }

    private var isWanted: Bool { !cancellation.isRaised && scope.isWanted() }

    private func serve(_ connection: Connection, until deadline: UInt64) {
        var changed = false
        var end = true
        while end {
            guard let step = steps.pop(until: deadline) else {
                finish(connection, StorageError.transactionTimeout(milliseconds: milliseconds))
                return
            }
            end = take(step, connection, until: deadline, changed: &changed)
        }
    }

    /// Whether the transaction goes on.
    private func take(_ step: Step, _ connection: Connection, until deadline: UInt64, changed: inout Bool) -> Bool {
        switch step {
        case .statement(let statement, let continuation):
            do {
                let rows = try serving(connection, until: deadline) {
                    try connection.runChecked(
                        statement, for: scope, bounds: Bounds(rows: 10_000, bytes: engine.options.answerBytes))
                }
                changed = changed || rows.changed > 0
                continuation.resume(returning: rows)
                return true
            } catch {
                finish(connection, error)
                continuation.resume(throwing: error)
            }
        case .commit(let attachments, let continuation):
            do {
                let wrote = changed
                let response = try serving(connection, until: deadline) {
                    try engine.attach(attachments, changed: wrote, for: scope, on: connection)
                }
                try connection.execute("COMMIT")
                finish(connection, nil)
                continuation.resume(returning: response)
            } catch {
                finish(connection, error)
                continuation.resume(throwing: error)
            }
        case .rollback:
            finish(connection, nil)
        }
        return false
    }

    /// Runs `body` while somebody waits and the limit has not passed.
    private func serving<Output>(
        _ connection: Connection, until deadline: UInt64, _ body: () throws -> Output
    ) throws -> Output {
        do {
            return try connection.serving(while: { self.isWanted && monotonicNanoseconds() < deadline }, body)
        } catch let error as StorageError where error == .cancelled && monotonicNanoseconds() >= deadline {
            throw StorageError.transactionTimeout(milliseconds: milliseconds)
        }
    }

    /// Leaves nothing open, and tells steps that still come why.
    private func finish(_ connection: Connection, _ error: (any Error)?) {
        connection.rollback()
        if let error = error as? StorageError { ending.withLock { $0 = error } }
        steps.close()
        while let late = steps.pop() {
            switch late {
            case .statement(_, let continuation): continuation.resume(throwing: endingError)
            case .commit(_, let continuation): continuation.resume(throwing: endingError)
            case .rollback: break
            }
        }
    }
}
