// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Glibc
import Synchronization
import TheatreStorage

/// Threads of their own that run blocking work on connections: one connection each, one queue for all of them.
final class ConnectionThreads: Sendable {
    /// Work for whichever thread is free; the error is why it will not run.
    typealias Job = @Sendable (Result<Connection, StorageError>) -> Void

    private let jobs = Mailbox<Job>()
    /// Connections that are open.
    let ended = Countdown()
    private let health: Health

    /// Starts one thread for each connection; `health` is told of damage that work comes upon.
    init(_ connections: [Connection], name: String, health: Health) throws(StorageError) {
        self.health = health
        for connection in connections {
            // The connection moves to its thread: nothing else keeps it.
            nonisolated(unsafe) let moved = connection
            let (jobs, ended) = (jobs, ended)
            ended.add()
            try Self.start(name: name) {
                while let job = jobs.pop() { job(.success(moved)) }
                moved.close()
                ended.done()
            }
        }
    }

    /// Queues `job`; after ``close()`` it is told so at once.
    func enqueue(_ job: @escaping Job) {
        if !jobs.push(job) { job(.failure(.closed)) }
    }

    /// What waits still runs; then the connections close and the threads end.
    func close() { jobs.close() }

    /// Returns once the connections are closed.
    func waitForEnd() async { await ended.wait() }

    /// Runs `work` on a connection and waits for it without holding this task's thread.
    ///
    /// Cancellation of the task and a false `scope.isWanted` interrupt a running statement and skip a waiting one; where
    /// `milliseconds` is not 0, so does their passing once the work has begun.
    func run<Output: Sendable>(
        for scope: CallerScope, milliseconds: UInt32 = 0, _ work: @escaping @Sendable (Connection) throws -> Output
    ) async throws -> Output {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue { [health] result in
                    continuation.resume(
                        with: Result {
                            let connection = try result.get()
                            defer { if let damage = connection.takeDamage() { health.found(damage) } }
                            let isWanted = { !cancellation.isRaised && scope.isWanted() }
                            guard milliseconds > 0 else {
                                return try connection.serving(while: isWanted) { try work(connection) }
                            }
                            return try connection.serving(while: isWanted, milliseconds: milliseconds) {
                                try work(connection)
                            }
                        })
                }
            }
        } onCancel: {
            cancellation.raise()
        }
    }

    /// Runs `work` whether or not anybody waits for it, and returns once it has run or never will.
    func finish(_ work: @escaping @Sendable (Connection) -> Void) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            enqueue { result in
                if case .success(let connection) = result { work(connection) }
                continuation.resume()
            }
        }
    }

    /// Starts a detached thread with a name of at most 15 bytes.
    static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(StorageError) {
        let box = Unmanaged.passRetained(ThreadBody(name: name, run: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                let body = Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue()
                csqlite_name_thread(body.name)
                body.run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw StorageError(.resourceExhausted, "sql.threads", "No thread could be started: error \(code).")
        }
        pthread_detach(thread)
    }
}

/// Counts what has not ended, for one who waits for all of it.
final class Countdown: Sendable {
    private struct State {
        var count = 0
        var waiting: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    func add() { state.withLock { $0.count += 1 } }

    func done() {
        let woken = state.withLock { state in
            state.count -= 1
            defer { if state.count == 0 { state.waiting = [] } }
            return state.count == 0 ? state.waiting : []
        }
        for body in woken { body() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in whenOver { continuation.resume() } }
    }

    /// Runs `body` once all has ended: now, or on the thread that ends last.
    func whenOver(_ body: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            if state.count > 0 { state.waiting.append(body) }
            return state.count == 0
        }
        if isOver { body() }
    }
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}
