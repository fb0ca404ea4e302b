// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import TheatrePlugin

@Suite struct ThreadDemandTests {
    @Test func aJobOnItsOwnStartsOneThread() {
        var demand = ThreadDemand(limit: 4)
        let first = demand.queue(isLookedFor: false)
        #expect(first == .start)
        let second = demand.role(wasSleeping: false)
        #expect(second == .work)
        #expect(demand.working == 1)
    }

    @Test func whileOneWorksAnotherOnlyWatches() {
        var demand = ThreadDemand(limit: 4)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        demand.took(1)
        let first = demand.queue(isLookedFor: false)
        #expect(first == .start)
        let second = demand.role(wasSleeping: false)
        #expect(second == .watch)
        let third = demand.queue(isLookedFor: false)
        #expect(third == .none)
        #expect(demand.working == 1)
    }

    @Test func aJobThatIsLookedForWakesNobody() {
        var demand = ThreadDemand(limit: 4)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        demand.took(1)
        let first = demand.queue(isLookedFor: true)
        #expect(first == .none)
        let second = demand.queue(isLookedFor: true)
        #expect(second == .start)
    }

    @Test func theWatchWorksWhereAJobStaysQueued() {
        var demand = ThreadDemand(limit: 4)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        demand.took(1)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        let mark = demand.mark
        // Nothing was taken since: the thread that works is blocked.
        let answer = demand.watched(since: mark)
        #expect(answer.0 == .work && answer.1 == .none)
        #expect(demand.working == 2)
    }

    @Test func theWatchThatWorksLeavesAnother() {
        var demand = ThreadDemand(limit: 4)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        demand.took(1)
        for _ in 0..<3 { _ = demand.queue(isLookedFor: false) }
        _ = demand.role(wasSleeping: false)
        let (role, action) = demand.watched(since: demand.mark)
        #expect(role == .work)
        #expect(action == .start)
        let answer = demand.role(wasSleeping: false)
        #expect(answer == .watch)
    }

    @Test func theWatchSleepsOnceNothingIsQueued() {
        var demand = ThreadDemand(limit: 2)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        demand.took(1)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        let mark = demand.mark
        demand.took(2)
        let first = demand.watched(since: mark)
        #expect(first.0 == .sleep && first.1 == .none)
        #expect(demand.sleeping == 1)
        let second = demand.queue(isLookedFor: false)
        #expect(second == .wake)
    }

    @Test func aThreadThatCannotBeStartedLeavesItsJobToWhoQueuedIt() {
        var demand = ThreadDemand(limit: 2)
        _ = demand.queue(isLookedFor: false)
        let first = demand.startFailed()
        #expect(first)
        #expect(demand.threads == 0 && demand.working == 0)
        let second = demand.queue(isLookedFor: false)
        #expect(second == .start)
    }
}

@Suite struct ExecutorTests {
    /// Jobs that block each other's thread until `count` of them run at once.
    @Test(.timeLimit(.minutes(1))) func blockedThreadsAreJoinedUpToTheLimit() async {
        let executor = PluginExecutor(name: "blocking", limit: 4)
        defer { executor.close() }
        let running = Counter()
        let latches = (0..<4).map { _ in Latch<Bool>() }
        await withTaskGroup(of: Void.self) { group in
            for latch in latches {
                group.addTask(executorPreference: executor) {
                    if running.add() == 4 { for latch in latches { latch.open(true) } }
                    _ = latch.wait()
                }
            }
        }
        #expect(running.value == 4)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 3, 8]) func everyJobRunsOnce(threads: Int) async {
        let executor = PluginExecutor(name: "counting", limit: threads)
        defer { executor.close() }
        let ran = Counter()
        for burst in [1, 7, 64, 500] {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<burst {
                    group.addTask(executorPreference: executor) {
                        for _ in 0..<4 {
                            _ = ran.add()
                            await Task.yield()
                        }
                    }
                }
            }
        }
        #expect(ran.value == 4 * 572)
    }

    @Test(.timeLimit(.minutes(1))) func whatComesAfterTheEndIsStillRun() async {
        let executor = PluginExecutor(name: "closed", limit: 2)
        executor.close()
        let answer = await Task(executorPreference: executor) { 42 }.value
        #expect(answer == 42)
    }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .acquiring) }

    /// The count with this one.
    func add() -> Int { count.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue }
}
