// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreStorage

/// A transaction that may share a commit, and with it one fsync, with others.
protocol GroupMember: Sendable {
    /// Whether it can run once more, where another member took the whole group down with it.
    var isRepeatable: Bool { get }

    /// Whether anybody still waits for it.
    var isWanted: Bool { get }

    /// Runs in the open transaction, on the writer's thread. What it throws undoes what it did, and nothing else.
    func run(on connection: Connection) throws

    /// Called once, when it is decided: nil where it is on disk, else why nothing of it is.
    func settle(_ error: (any Error)?)
}

/// A transaction whose statements are all known.
final class WriteMember<Output: Sendable>: GroupMember {
    private let scope: CallerScope
    private let milliseconds: UInt32
    private let cancellation: Cancellation
    private let body: @Sendable (Connection) throws -> Output
    private let continuation: CheckedContinuation<Output, any Error>
    private let output = Mutex<Output?>(nil)

    init(
        _ scope: CallerScope, milliseconds: UInt32, _ cancellation: Cancellation,
        _ continuation: CheckedContinuation<Output, any Error>,
        _ body: @escaping @Sendable (Connection) throws -> Output
    ) {
        self.scope = scope
        self.milliseconds = milliseconds
        self.cancellation = cancellation
        self.continuation = continuation
        self.body = body
    }

    var isRepeatable: Bool { true }

    var isWanted: Bool { !cancellation.isRaised && scope.isWanted() }

    func run(on connection: Connection) throws {
        let made =
            milliseconds == 0
            ? try connection.serving(while: { self.isWanted }) { try body(connection) }
            : try connection.serving(while: { self.isWanted }, milliseconds: milliseconds) { try body(connection) }
        output.withLock { $0 = made }
    }

    func settle(_ error: (any Error)?) {
        if let error { return continuation.resume(throwing: error) }
        guard let made = output.withLock({ $0 }) else {
            return continuation.resume(throwing: StorageError(.internal, "sql.engine", "A transaction has no outcome."))
        }
        continuation.resume(returning: made)
    }
}
