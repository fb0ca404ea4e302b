// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import Testing

@testable import Validator

/// What a host may tell of calls whose process ended. No library can make it tell them wrong, a fault of the host can.
@Suite struct CrashJudgementTests {
    private func reasons(_ answer: CallAnswer?, times: Int = 1, sideEffect: Bool = false) -> [String] {
        CrashJudgement(operation: "theatre.x.v1.X/Do", kind: "ok", signal: "SIGKILL", isSideEffect: sideEffect)
            .findings(answer, times: times).map(\.reason)
    }

    private func crashed(_ effect: CallError.Effect, _ retry: CallError.Retry) -> CallAnswer {
        CallAnswer(
            error: CallError(.unavailable, "instance.crashed", "Its process ended.", effect: effect, retry: retry))
    }

    @Test func anAnswerOfItsKindIsRight() { #expect(reasons(CallAnswer(payload: [1])) == []) }

    @Test func itsEndWithItsEffectIsRight() {
        #expect(reasons(crashed(.none, .safe)) == [])
        #expect(reasons(crashed(.unknown, .never), sideEffect: true) == [])
    }

    @Test func anotherEffectIsUntold() {
        #expect(reasons(crashed(.none, .safe), sideEffect: true) == ["validator.crash_untold"])
        #expect(reasons(crashed(.unknown, .never)) == ["validator.crash_untold"])
        #expect(reasons(crashed(.none, .never)) == ["validator.crash_untold"])
    }

    @Test func anotherReasonIsUntold() {
        #expect(
            reasons(CallAnswer(error: CallError(.unavailable, "other.reason", "Another."))) == [
                "validator.crash_untold"
            ])
    }

    @Test func noEndIsALostCall() { #expect(reasons(nil, times: 0) == ["validator.crash_lost_call"]) }

    @Test func twoEndsAreOneTooMany() {
        #expect(reasons(CallAnswer(), times: 2) == ["validator.crash_twice"])
    }

    @Test func whatAHostKeepsIsFound() {
        #expect(CrashJudgement.leavings(threads: 0, descriptors: 0) == nil)
        #expect(CrashJudgement.leavings(threads: 1, descriptors: 0)?.reason == "validator.crash_leaves")
        #expect(CrashJudgement.leavings(threads: -2, descriptors: 3)?.reason == "validator.crash_leaves")
    }
}
