// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Runtime

/// When an instance that crashed is started again.
@Suite struct CrashHistoryTests {
    private func end(_ at: Int64) -> InstanceEnd { InstanceEnd(at: at, cause: "was killed by SIGSEGV", output: "") }

    @Test func eachCrashWithinTheWindowWaitsLongerUntilItIsLeft() {
        var history = CrashHistory()
        let policy = CrashPolicy()
        let decisions = (0..<5).map { history.add(end($0 * 1000), policy) }
        #expect(
            decisions == [
                .restart(after: 0), .restart(after: 50), .restart(after: 200), .restart(after: 1000), .quarantine(5),
            ])
        #expect(history.facts["crashes"] == "5")
    }

    @Test func crashesThatLieApartDoNotCount() {
        var history = CrashHistory()
        let policy = CrashPolicy()
        for turn in 0..<100 as Range<Int64> {
            #expect(history.add(end(turn * 60_000), policy) == .restart(after: 0))
        }
        #expect(history.count == 100)
        #expect(history.ends.count <= 5)
    }

    @Test func whatWasReleasedStartsAfresh() {
        var history = CrashHistory()
        let policy = CrashPolicy()
        for turn in 0..<4 as Range<Int64> { _ = history.add(end(turn), policy) }
        history.forgive()
        #expect(history.add(end(5), policy) == .restart(after: 0))
    }
}
