// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import TheatrePlugin

@Suite struct ThreadDemandTests {
    @Test func aJobOnItsOwnStartsOneThread() {
        var demand = ThreadDemand(limit: 4)
        let answer1 = demand.queue(isLookedFor: false)
        #expect(answer1 == .start)
        let answer2 = demand.role(wasSleeping: false)
        #expect(answer2 == .work)
        #expect(demand.working == 1)
    }

    @Test func whileOneWorksAnotherOnlyWatches() {
        var demand = ThreadDemand(limit: 4)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        demand.take()
        let answer3 = demand.queue(isLookedFor: false)
        #expect(answer3 == .start)
        let answer4 = demand.role(wasSleeping: false)
        #expect(answer4 == .watch)
        let answer5 = demand.queue(isLookedFor: false)
        #expect(answer5 == .none)
        #expect(demand.working == 1)
    }

    @Test func aJobThatIsLookedForWakesNobody() {
        var demand = ThreadDemand(limit: 4)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        demand.take()
        let answer6 = demand.queue(isLookedFor: true)
        #expect(answer6 == .none)
        let answer7 = demand.queue(isLookedFor: true)
        #expect(answer7 == .start)
    }

    @Test func theWatchWorksWhereAJobStaysQueued() {
        var demand = ThreadDemand(limit: 4)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        demand.take()
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        let mark = demand.mark
        // Nothing was taken since: the thread that works is blocked.
        let answer8 = demand.watched(since: mark)
        #expect(answer8 == (.work, .none))
        #expect(demand.working == 2)
    }

    @Test func theWatchThatWorksLeavesAnother() {
        var demand = ThreadDemand(limit: 4)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        demand.take()
        for _ in 0..<3 { _ = demand.queue(isLookedFor: false) }
        _ = demand.role(wasSleeping: false)
        let (role, action) = demand.watched(since: demand.mark)
        #expect(role == .work)
        #expect(action == .start)
        let answer9 = demand.role(wasSleeping: false)
        #expect(answer9 == .watch)
    }

    @Test func theWatchSleepsOnceNothingIsQueued() {
        var demand = ThreadDemand(limit: 2)
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        demand.take()
        _ = demand.queue(isLookedFor: false)
        _ = demand.role(wasSleeping: false)
        let mark = demand.mark
        demand.take()
        let answer10 = demand.watched(since: mark)
        #expect(answer10 == (.sleep, .none))
        #expect(demand.sleeping == 1)
        let answer11 = demand.queue(isLookedFor: false)
        #expect(answer11 == .wake)
    }

    @Test func aThreadThatCannotBeStartedLeavesItsJobToWhoQueuedIt() {
        var demand = ThreadDemand(limit: 2)
        _ = demand.queue(isLookedFor: false)
        let answer12 = demand.startFailed()
        #expect(answer12)
        #expect(demand.threads == 0 && demand.working == 0)
        let answer13 = demand.queue(isLookedFor: false)
        #expect(answer13 == .start)
    }
}

@Suite struct ExecutorTests {
    /// Jobs that block each other's thread until `count` of them run at once.
    @Test(.timeLimit(.minutes(1))) func blockedThreadsAreJoinedUpToTheLimit() async {
        let executor = PluginExecutor(name: "blocking", limit: 4)
        defer { executor.close() }
        let running = Mutex(0)
        let latches = (0..<4).map { _ in Latch<Bool>() }
        await withTaskGroup(of: Void.self) { group in
            for latch in latches {
                group.addTask(executorPreference: executor) {
                    let isLast = running.withLock { running in
                        running += 1
                        return running == 4
                    }
                    if isLast { for latch in latches { latch.open(true) } }
                    _ = latch.wait()
                }
            }
        }
        #expect(running.withLock { $0 } == 4)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 3, 8]) func everyJobRunsOnce(threads: Int) async {
        let executor = PluginExecutor(name: "counting", limit: threads)
        defer { executor.close() }
        let ran = Atomic<Int>(0)
        for burst in [1, 7, 64, 500] {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<burst {
                    group.addTask(executorPreference: executor) {
                        for _ in 0..<4 {
                            ran.wrappingAdd(1, ordering: .relaxed)
                            await Task.yield()
                        }
                    }
                }
            }
        }
        #expect(ran.load(ordering: .relaxed) == 4 * 572)
    }

    @Test(.timeLimit(.minutes(1))) func whatComesAfterTheEndIsStillRun() async {
        let executor = PluginExecutor(name: "closed", limit: 2)
        executor.close()
        let answer = await Task(executorPreference: executor) { 42 }.value
        #expect(answer == 42)
    }
}
