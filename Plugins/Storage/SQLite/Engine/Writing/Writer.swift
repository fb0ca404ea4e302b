// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TheatreStorage

/// The one connection that writes, on a thread of its own.
///
/// Transactions that wait when one begins share its commit. Each is run alone on the connection from its begin to its end;
/// nobody is told of a commit before it is on disk.
final class Writer: Sendable {
    /// Work that wants the connection to itself, outside of any transaction; the error is why it will not run.
    typealias Job = @Sendable (Result<Connection, StorageError>) -> Void

    private enum Item: Sendable {
        case alone(Job)
        case member(any GroupMember)
    }

    /// How far a group grows.
    struct Limits: Sendable {
        var members = 512
        var nanoseconds: UInt64 = 20_000_000
    }

    private let items = Mailbox<Item>()
    private let limits: Limits
    private let health: Health
    private let shortReads: ShortReads
    private let ended = Countdown()
    /// Commits, and the transactions that were in them.
    let commits = Atomic<Int64>(0)
    let transactions = Atomic<Int64>(0)

    /// Starts the thread.
    ///
    /// Its connection closes after those of the readers: the last to close writes the log back into the database, and of
    /// two that close at once each finds the other still there and leaves it.
    ///
    /// - Parameter shortReads: are told of commits, and let go of what keeps the log from beginning anew.
    init(
        _ connection: Connection, limits: Limits, health: Health, shortReads: ShortReads, readers: ConnectionThreads
    ) throws(StorageError) {
        self.limits = limits
        self.health = health
        self.shortReads = shortReads
        // The connection moves to its thread: nothing else keeps it.
        nonisolated(unsafe) let moved = connection
        ended.add()
        try ConnectionThreads.start(name: "sqlite-writer") { [self] in
            serve(moved)
            let ended = ended
            readers.ended.whenOver {
                shortReads.ended.whenOver {
                    moved.close()
                    ended.done()
                }
            }
        }
    }

    /// What waits still runs; then the connection closes and the thread ends.
    func close() { items.close() }

    /// Returns once the connection is closed.
    func waitForEnd() async { await ended.wait() }

    /// Queues work of its own; after ``close()`` it is told so at once.
    func enqueue(_ job: @escaping Job) {
        if !items.push(.alone(job)) { job(.failure(.closed)) }
    }

    /// Queues a transaction; after ``close()`` it is told so at once.
    func enqueue(_ member: any GroupMember) {
        if !items.push(.member(member)) { member.settle(StorageError.closed) }
    }

    /// Runs `body` in a transaction and returns once it is on disk.
    ///
    /// It may run more than once, so it does nothing but with the connection. Cancellation of the task, a false
    /// `scope.isWanted` and, where `milliseconds` is not 0, their passing once it has begun, interrupt it.
    func write<Output: Sendable>(
        for scope: CallerScope, milliseconds: UInt32 = 0,
        _ body: @escaping @Sendable (Connection) throws -> Output
    ) async throws -> Output {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(WriteMember(scope, milliseconds: milliseconds, cancellation, continuation, body))
            }
        } onCancel: {
            cancellation.raise()
        }
    }

    /// Runs `work` with the connection to itself.
    func run<Output: Sendable>(
        for scope: CallerScope, _ work: @escaping @Sendable (Connection) throws -> Output
    ) async throws -> Output {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue { [shortReads] result in
                    let outcome = Result {
                        let connection = try result.get()
                        shortReads.committing()
                        defer { shortReads.committed() }
                        return try connection.serving(while: { !cancellation.isRaised && scope.isWanted() }) {
                            try work(connection)
                        }
                    }
                    continuation.resume(with: outcome)
                }
            }
        } onCancel: {
            cancellation.raise()
        }
    }

    // MARK: On the writer's thread

    private func serve(_ connection: Connection) {
        var held: Item?
        while let item = held ?? items.pop() {
            held = nil
            shortReads.endSnapshots()
            switch item {
            case .alone(let job): job(.success(connection))
            case .member(let member): held = group(from: member, connection)
            }
        }
    }

    /// Runs those that wait, up to the limits; gives what came and is no member.
    private func group(from first: any GroupMember, _ connection: Connection) -> Item? {
        let end = monotonicNanoseconds() + limits.nanoseconds
        var group = CommitGroup(connection)
        group.run(first)
        var held: Item?
        // Where none can begin, those that wait are told at once, though the wait for it took longer than a group may.
        while held == nil, group.count < limits.members, group.isRefused || monotonicNanoseconds() < end,
            let next = items.popNow()
        {
            switch next {
            case .member(let member): group.run(member)
            case .alone: held = next
            }
        }
        transactions.add(Int64(group.count), ordering: .relaxed)
        commits.add(1, ordering: .relaxed)
        shortReads.committing()
        group.commit {
            shortReads.committed()
            health.ended($0)
        }
        return held
    }
}
