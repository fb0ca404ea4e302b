// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Telegram

/// The pace as a state machine, without a clock.
struct SendPaceTests {
    @Test func thirtyGoOutAtOnceAndThenThirtyASecond() {
        var pace = SendPace()
        var sent = 0
        for millisecond in 0..<10_000 {
            for chat in 0..<4 where pace.admit("\(millisecond)-\(chat)", at: UInt64(millisecond)) == nil { sent += 1 }
        }
        #expect((330...334).contains(sent))
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func theWaitGivenIsEnoughAndNotTooLong(seed: UInt64) {
        var state = seed
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var pace = SendPace()
        var now: UInt64 = 1_000_000
        for _ in 0..<500 {
            now += random(400)
            if random(50) == 0 { pace.hold(milliseconds: random(3000), at: now) }
            let chat = random(2) == 0 ? "-\(random(3))" : "\(random(5))"
            guard let wait = pace.admit(chat, at: now) else { continue }
            var early = pace
            var late = pace
            #expect(early.admit(chat, at: now + wait - 1) != nil)
            #expect(late.admit(chat, at: now + wait) == nil)
        }
    }

    @Test func groupsGetTwentyAMinute() {
        var pace = SendPace()
        let sent = (0..<60).count { pace.admit("-5", at: UInt64($0) * 1000) == nil }
        #expect((38...40).contains(sent))
    }

    @Test func aHoldStopsEveryChatUntilItsEnd() {
        var pace = SendPace()
        pace.hold(milliseconds: 500, at: 100)
        pace.hold(milliseconds: 100, at: 200)
        #expect(pace.admit("1", at: 300) == 300)
        #expect(pace.admit("2", at: 600) == nil)
    }
}
