// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Remote

struct StreamTurnsTests {
    /// Turns that are had at the moment, and the most that were at once.
    private final class Count: Sendable {
        let now = Atomic(0)
        let most = Atomic(0)

        func begin() { most.max(now.add(1, ordering: .relaxed).newValue, ordering: .relaxed) }
        func end() { now.subtract(1, ordering: .relaxed) }
    }

    @Test func noMoreThanTheLimitHaveATurnAndEveryoneGetsOne() async throws {
        let turns = StreamTurns()
        let count = Count()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<1000 {
                group.addTask {
                    try await turns.take()
                    count.begin()
                    await Task.yield()
                    count.end()
                    turns.give()
                }
            }
            try await group.waitForAll()
        }
        #expect(count.most.load(ordering: .relaxed) <= StreamTurns.limit)
        #expect(count.now.load(ordering: .relaxed) == 0)
    }

    @Test func whoIsCancelledWhileItWaitsLeavesNoTurnBehind() async throws {
        let turns = StreamTurns()
        for _ in 0..<StreamTurns.limit { try await turns.take() }
        let waiting = (0..<50).map { _ in Task { try await turns.take() } }
        for task in waiting { task.cancel() }
        for task in waiting { await #expect(throws: CancellationError.self) { try await task.value } }
        for _ in 0..<StreamTurns.limit { turns.give() }
        for _ in 0..<StreamTurns.limit { try await turns.take() }
        let next = Task { try await turns.take() }
        turns.give()
        try await next.value
    }
}
