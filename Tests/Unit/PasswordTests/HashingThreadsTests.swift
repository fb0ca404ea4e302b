// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CArgon2
import Foundation
import Synchronization
import Testing
import TheatrePlugin

@testable import Password

struct HashingThreadsTests {
    @Test func moreThanMayWaitAreRefusedAtOnce() async throws {
        let threads = try HashingThreads(threads: 1, waiting: 1)
        let begun = DispatchSemaphore(value: 0)
        let hold = DispatchSemaphore(value: 0)
        let results = await withTaskGroup(of: String.self) { group in
            group.addTask {
                await outcome {
                    try await threads.run {
                        begun.signal(); hold.wait()
                    }
                }
            }
            await wait(for: begun)
            // One may wait; of two more, one is refused while the first still holds the thread.
            for _ in 0..<2 { group.addTask { await outcome { try await threads.run {} } } }
            var results = [await group.next() ?? ""]
            hold.signal()
            for await result in group { results.append(result) }
            return results
        }
        #expect(results.first == "auth.busy")
        #expect(results.dropFirst().sorted() == ["done", "done"])
        threads.close()
        #expect(await outcome { try await threads.run {} } == "auth.closed")
    }

    @Test func neverMoreRunAtOnceThanThereAreThreads() async throws {
        let threads = try HashingThreads(threads: 2, waiting: 100)
        let load = Load()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await threads.run {
                        load.begin()
                        load.end()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect((1...2).contains(load.most))
        threads.close()
    }

    @Test func workCancelledBeforeItsTurnIsNotBegun() async throws {
        let threads = try HashingThreads(threads: 1, waiting: 4)
        let load = Load()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await threads.run { load.begin() }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(load.most == 0)
        threads.close()
    }

    @Test func theyGiveWayToAllOthers() async throws {
        let threads = try HashingThreads(threads: 1, waiting: 1)
        #expect(try await threads.run { cargon2_priority() } == cargon2_priority() + 10)
        threads.close()
    }

    @Test(arguments: [(0, 1, 1), (0, 2, 1), (0, 8, 7), (3, 2, 3)])
    func oneFewerThanThereAreCoresUnlessTheOperatorSays(_ configured: UInt, _ cores: Int, _ threads: Int) {
        let configuration = PasswordConfiguration(
            memoryKiB: 64, iterations: 1, parallelism: 1, threads: configured, queue: 1)
        #expect(configuration.threads(cores: cores) == threads)
    }

    private func outcome(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "done"
        } catch {
            return (error as? PluginError)?.reason ?? "\(error)"
        }
    }

    /// Waits without blocking a thread of the pool.
    private func wait(for semaphore: DispatchSemaphore) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                semaphore.wait()
                continuation.resume()
            }
        }
    }
}

/// How many run at once, and the most there were.
private final class Load: Sendable {
    private let counts = Mutex((now: 0, most: 0))

    var most: Int { counts.withLock { $0.most } }

    func begin() {
        counts.withLock { counts in
            counts.now += 1
            counts.most = max(counts.most, counts.now)
        }
    }

    func end() { counts.withLock { $0.now -= 1 } }
}
