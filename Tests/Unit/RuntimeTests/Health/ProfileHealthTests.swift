// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import Synchronization
import Testing

@testable import Runtime

/// When a profile is called, by what became of its calls.
@Suite struct ProfileHealthTests {
    private let clock = StillClock()
    private let told = Told()
    private let health: ProfileHealth

    private final class Told: Sendable {
        private let all = Mutex<[HealthReport]>([])
        func add(_ report: HealthReport) { all.withLock { $0.append(report) } }
        var states: [HealthState] { all.withLock { $0.map(\.state) } }
    }

    private static let server = CallError(.unavailable, "content.unavailable", "It is down.", retry: .safe)
    private static let key = CallError(.failedPrecondition, "content.misconfigured", "The key is wrong.")
    private static let client = CallError(.invalidArgument, "content.rejected", "There is no such model.")

    init() {
        let told = told
        health = ProfileHealth(
            profile: "large", instance: "openai", capability: "chat",
            judge: FaultJudge(faults: ["content.misconfigured": .auth]),
            changed: { told.add($0) })
    }

    private func call(_ error: CallError?, milliseconds: UInt64 = 10) -> ProfileHealth.Admission {
        let admission = health.admit(clock)
        if case .refused = admission { return admission }
        health.ended(admission, error, after: milliseconds * 1_000_000, clock)
        return admission
    }

    private func isRefused(_ admission: ProfileHealth.Admission) -> Bool {
        if case .refused = admission { true } else { false }
    }

    @Test func fiveFailuresInARowOpenTheBreaker() {
        #expect(health.report(clock).state == .unknown)
        for _ in 0..<4 { #expect(call(Self.server) == .free) }
        #expect(health.report(clock).state == .degraded)
        #expect(call(nil) == .free)
        for _ in 0..<5 { #expect(call(Self.server) == .free) }
        guard case .refused(let wait, let why) = health.admit(clock) else {
            Issue.record("it is called")
            return
        }
        #expect(wait == 5_000_000_000)
        #expect(why.contains("5 failures in a row, last: server, content.unavailable"), "\(why)")
        let report = health.report(clock)
        #expect(report.state == .down && report.calls == 10 && report.failures == 9)
        #expect(report.lastFailure?.kind == .server && report.retryAt == report.since + 5000)
        #expect(told.states == [.degraded, .down])
    }

    @Test func oneCallTriesAndTheOthersWait() {
        for _ in 0..<5 { _ = call(Self.server) }
        clock.advance(milliseconds: 5000)
        #expect(health.admit(clock) == .trial)
        #expect(isRefused(health.admit(clock)))
        #expect(health.report(clock).state == .halfOpen)
        health.ended(.trial, Self.server, after: 1, clock)
        // Twice as long.
        clock.advance(milliseconds: 9999)
        #expect(isRefused(health.admit(clock)))
        clock.advance(milliseconds: 1)
        #expect(call(nil) == .trial)
        #expect(call(nil) == .free)
        #expect(health.report(clock).state == .healthy)
        #expect(told.states == [.degraded, .down, .halfOpen, .down, .halfOpen, .healthy])
        // And what opens it next opens it for the first time again.
        for _ in 0..<5 { _ = call(Self.server) }
        guard case .refused(let wait, _) = health.admit(clock) else {
            Issue.record("it is called")
            return
        }
        #expect(wait == 5_000_000_000)
    }

    @Test func aTrialThatSaysNothingIsTriedAgain() {
        for _ in 0..<5 { _ = call(Self.server) }
        clock.advance(milliseconds: 5000)
        #expect(call(CallError(.cancelled, "call.cancelled", "Given up.")) == .trial)
        #expect(call(CallError(.resourceExhausted, "instance.busy", "Busy.")) == .trial)
        #expect(health.report(clock).state == .down)
        #expect(call(Self.client) == .trial)
        #expect(health.report(clock).state == .healthy)
    }

    @Test func whatCallersDoWrongNeverCounts() {
        for _ in 0..<100 { #expect(call(Self.client) == .free) }
        let report = health.report(clock)
        #expect(report.state == .healthy && report.failures == 0 && report.calls == 100)
    }

    @Test func aCallerWithoutPatienceSaysNothing() {
        let late = CallError(.deadlineExceeded, "call.deadline", "Too late.")
        for _ in 0..<20 { #expect(call(late, milliseconds: 200) == .free) }
        #expect(health.report(clock).state == .unknown)
        for _ in 0..<5 { _ = call(late, milliseconds: 1000) }
        #expect(health.report(clock).lastFailure?.kind == .timeout)
        #expect(isRefused(health.admit(clock)))
    }

    @Test func aWrongKeyIsNotTriedFiveTimes() {
        _ = call(Self.key)
        #expect(call(Self.key) == .free)
        #expect(isRefused(health.admit(clock)))
        #expect(health.report(clock).lastFailure?.kind == .auth)
    }

    @Test func halfOfManyIsTooMuch() {
        for index in 0..<19 { #expect(call(index % 2 == 0 ? Self.server : nil) == .free, "\(index)") }
        #expect(health.report(clock).state == .degraded)
        _ = call(Self.server)
        #expect(isRefused(health.admit(clock)))
    }

    @Test func whoAsksToBeLeftAloneIs() {
        let rate = CallError(
            .resourceExhausted, "content.throttled", "Slower.", retry: .after(milliseconds: 700))
        _ = call(rate)
        guard case .refused(let wait, let why) = health.admit(clock) else {
            Issue.record("it is called")
            return
        }
        #expect(wait == 700_000_000 && why.contains("left alone"), "\(why)")
        #expect(health.report(clock).state == .degraded)
        clock.advance(milliseconds: 700)
        #expect(call(nil) == .free)
    }

    @Test func latencyIsOfAnsweredCalls() {
        _ = call(nil, milliseconds: 100)
        _ = call(Self.server, milliseconds: 9000)
        #expect(health.report(clock).latency == 100_000)
        _ = call(nil, milliseconds: 200)
        #expect(health.report(clock).latency == 110_000)
    }

    /// Whatever happens in whatever order: never two trials at once, none while it is to be left alone, an open breaker
    /// closes by a trial alone, and each change is told once.
    @Test(arguments: 0..<40) func itHoldsForRandomSchedules(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        var open: [ProfileHealth.Admission] = []
        for _ in 0..<400 {
            switch random.next() % 5 {
            case 0: clock.advance(milliseconds: random.next() % 4000)
            case 1, 2:
                let before = health.report(clock)
                let admission = health.admit(clock)
                if case .refused(let wait, _) = admission {
                    #expect(wait > 0)
                } else {
                    #expect(before.retryAt == 0)
                    open.append(admission)
                }
                #expect(open.filter { $0 == .trial }.count <= 1)
            default:
                guard !open.isEmpty else { continue }
                let admission = open.remove(at: Int(random.next() % UInt64(open.count)))
                let error = [nil, Self.server, Self.server, Self.client, Self.key][Int(random.next() % 5)]
                let wasOpen = [.down, .halfOpen].contains(health.report(clock).state)
                health.ended(admission, error, after: 1_000_000, clock)
                if wasOpen, ![.down, .halfOpen].contains(health.report(clock).state) {
                    #expect(admission == .trial && (error == nil || error == Self.client))
                }
            }
        }
        #expect(zip(told.states, told.states.dropFirst()).allSatisfy { $0 != $1 })
    }

    private struct SplitMix {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
    }
}
