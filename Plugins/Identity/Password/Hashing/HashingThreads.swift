// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CArgon2
import Glibc

/// How far hashing gives way to whatever else runs.
private let niceness: Int32 = 10

/// Threads of their own for hashing, and a queue that refuses what it cannot serve soon.
final class HashingThreads: Sendable {
    private let queue: BoundedQueue<@Sendable () -> Void>

    /// Starts threads.
    ///
    /// - Parameters:
    ///   - threads: hashes at once; each takes the memory of its cost.
    ///   - waiting: most that wait; more are RESOURCE_EXHAUSTED `auth.busy`.
    init(threads: Int, waiting: Int) throws {
        queue = BoundedQueue(limit: waiting, servers: threads)
        for _ in 0..<threads {
            do {
                let queue = queue
                try Self.start {
                    while let job = queue.pop() {
                        job()
                        queue.done()
                    }
                }
            } catch {
                queue.close()
                throw error
            }
        }
    }

    /// Runs blocking work on one of the threads and waits without holding this task's thread.
    ///
    /// Work whose task was cancelled while it waited is not begun.
    func run<Output: Sendable>(_ work: @escaping @Sendable () throws -> Output) async throws -> Output {
        let cancellation = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Output, any Error>) in
                let admission = queue.push {
                    continuation.resume(
                        with: Result {
                            guard !cancellation.isRaised else { throw CancellationError() }
                            return try work()
                        })
                }
                switch admission {
                case .taken: break
                case .full: continuation.resume(throwing: PasswordError.busy())
                case .closed: continuation.resume(throwing: PasswordError.closed())
                }
            }
        } onCancel: {
            cancellation.raise()
        }
    }

    /// What waits still runs; then the threads end.
    func close() { queue.close() }

    private static func start(_ body: @escaping @Sendable () -> Void) throws {
        let box = Unmanaged.passRetained(ThreadBody(run: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                let body = Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue()
                cargon2_begin_thread("argon2", niceness)
                body.run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw PasswordError.threads(code)
        }
        pthread_detach(thread)
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
}
