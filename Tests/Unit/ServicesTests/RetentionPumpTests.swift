// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// What is older than it is to be kept goes, in steps, at the host's word only.
struct RetentionPumpTests {
    private let calls = FakeCalls()
    private let clock = ManualClock()
    private let asked = Asked()

    private final class Asked: Sendable {
        let lines = Mutex<[String]>([])
        /// How many more full steps the log gives.
        let full = Mutex(0)

        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private func pump(events: Int64, ended: Int64, dead: Int64) -> RetentionPump {
        let asked = asked
        calls.serve("store", "theatre.events.v1.Log/Trim") { (request: EventsTrimRequest, _) -> EventsTrimResponse? in
            asked.add("events \(request.before)")
            let isFull = asked.full.withLock { left in
                left -= 1
                return left >= 0
            }
            return EventsTrimResponse.with { $0.removed = isFull ? request.limit : 1 }
        }
        calls.serve("store", "theatre.jobs.v1.Queue/Control") {
            (request: JobsControlRequest, _) -> JobsControlResponse? in
            asked.add("\(request.action) \(request.state) \(request.before)")
            return JobsControlResponse()
        }
        return RetentionPump(
            calls, storage: "store", periods: RetentionPeriods(events: events, endedJobs: ended, deadJobs: dead),
            clock: clock, log: Logger(label: "test"))
    }

    @Test func eachKindGoesAfterItsTimeEveryHour() {
        let pump = pump(events: 1000, ended: 2000, dead: 3000)
        pump.start()
        #expect(asked.lines.withLock { $0 }.isEmpty)
        clock.advance(RetentionPump.first)
        let now = clock.wall
        let round = [
            "events \(now - 1000)", "remove done \(now - 2000)", "remove cancelled \(now - 2000)",
            "remove dead \(now - 3000)",
        ]
        #expect(asked.lines.withLock { $0 } == round)
        clock.advance(RetentionPump.interval)
        #expect(asked.lines.withLock { $0.count } == 8)
        pump.stop()
        clock.advance(RetentionPump.interval)
        #expect(asked.lines.withLock { $0.count } == 8 && clock.untilNext == nil)
    }

    @Test func aLookBeginsARoundUnlessOneIsUnderWay() {
        let pump = pump(events: 1000, ended: 0, dead: 0)
        pump.look()
        #expect(asked.lines.withLock { $0 }.isEmpty, "it has not begun")
        pump.start()
        pump.look()
        #expect(asked.lines.withLock { $0.count } == 1 && clock.untilNext == RetentionPump.interval)
        let answer = Mutex<FakeCalls.Then?>(nil)
        calls.handle("store", "theatre.events.v1.Log/Trim") { [asked] _, then in
            asked.add("held")
            answer.withLock { $0 = then }
        }
        pump.look()
        pump.look()
        #expect(asked.lines.withLock { $0.count } == 2 && clock.untilNext == nil)
        answer.withLock { $0 }?(.success([]))
        #expect(clock.untilNext == RetentionPump.interval)
        pump.stop()
        pump.look()
        #expect(asked.lines.withLock { $0.count } == 2 && clock.untilNext == nil)
    }

    @Test func aFullStepIsFollowedByAnother() {
        asked.full.withLock { $0 = 3 }
        let pump = pump(events: 1000, ended: 0, dead: 0)
        pump.start()
        clock.advance(RetentionPump.first)
        #expect(asked.lines.withLock { $0.count } == 4)
        #expect(pump.metrics().first?.samples.first?.value == 3001)
    }

    @Test func whatIsKeptForEverIsNotAskedFor() {
        let pump = pump(events: 0, ended: 0, dead: 0)
        pump.start()
        clock.advance(RetentionPump.first + RetentionPump.interval)
        #expect(asked.lines.withLock { $0 }.isEmpty)
    }

    @Test func aFailureLeavesTheRestAndTheNextRound() {
        let pump = pump(events: 1000, ended: 2000, dead: 0)
        calls.serve("store", "theatre.events.v1.Log/Trim") { (_: EventsTrimRequest, _) -> EventsTrimResponse? in
            throw CallError(.unavailable, "sql.busy", "Busy.", retry: .safe)
        }
        pump.start()
        clock.advance(RetentionPump.first)
        #expect(asked.lines.withLock { $0.count } == 2, "done and cancelled are still removed")
        #expect(clock.untilNext == RetentionPump.interval)
    }
}
