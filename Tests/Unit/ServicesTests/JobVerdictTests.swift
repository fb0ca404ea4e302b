// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// What becomes of a job after a run: done, repeated, or dead.
@Suite struct JobVerdictTests {
    @Test func anErrorWorthItIsRepeatedWithFullJitterUntilTheJobIsDead() {
        let bench = JobBench()
        bench.run { _ in throw CallError(.unavailable, "press.down", "Down.", retry: .safe) }
        let pump = bench.pump()
        pump.serve([JobBench.queue { $0.maxAttempts = 4 }])
        let id = bench.store.enqueue()
        let job = bench.store.job(id)
        #expect(job?.state == .waiting && job?.attempts == 1 && job?.reason == "press.down")
        #expect((0...1000).contains((job?.runAt ?? -1) - bench.clock.wall))
        bench.pass(10_000)
        #expect(bench.begun.withLock { $0 } == (1...4).map { "\(id)#\($0)" })
        #expect(bench.store.job(id)?.state == .dead)
    }

    /// An error, what becomes of the job, the bounds of its wait, and whether the attempt is forgiven.
    static let verdicts: [(CallError, JobsJobState, Int64, Int64, Bool)] = [
        (CallError(.invalidArgument, "press.bad", "Bad."), .dead, 0, 0, false),
        (CallError(.internal, "press.bug", "Bug."), .dead, 0, 0, false),
        (CallError(.unavailable, "press.down", "Down.", retry: .safe), .waiting, 0, 1000, false),
        (CallError(.resourceExhausted, "x", "Y.", retry: .after(milliseconds: 9000)), .waiting, 9000, 9000, false),
        (CallError(.deadlineExceeded, "call.deadline", "Late.", effect: .unknown), .waiting, 0, 1000, false),
        (CallError(.unavailable, "sql.connection_lost", "Gone.", effect: .unknown), .waiting, 0, 1000, false),
        (CallError(.resourceExhausted, "instance.busy", "Busy.", retry: .safe), .waiting, 250, 1000, true),
        (CallError(.unavailable, "instance.retired", "Retired.", retry: .safe), .waiting, 250, 1000, true),
    ]

    @Test(arguments: verdicts)
    func theErrorDecides(
        _ error: CallError, _ state: JobsJobState, _ from: Int64, _ to: Int64, _ isForgiven: Bool
    ) {
        var random = SystemRandomNumberGenerator()
        let verdict = JobVerdict(queue: JobBench.queue())
        for _ in 0..<50 {
            let job = JobsJob.with { $0.attempts = 1 }
            let outcome = verdict.outcome(of: job, .failure(error), now: 5000, &random)
            #expect(outcome.state == state && outcome.forgive == isForgiven && outcome.reason == error.reason)
            if state == .waiting { #expect((5000 + from...5000 + to).contains(outcome.runAt)) }
        }
    }

    @Test func theWaitsDoubleToTheirBound() {
        var random = SystemRandomNumberGenerator()
        let verdict = JobVerdict(
            queue: JobBench.queue {
                $0.maxAttempts = 1000
                $0.backoffMax = 8000
            })
        let error = CallError(.unavailable, "press.down", "Down.", retry: .safe)
        for (attempt, bound) in [(1, 1000), (2, 2000), (3, 4000), (4, 8000), (5, 8000), (900, 8000)] {
            let waits = (0..<200).map { _ in
                verdict.outcome(of: .with { $0.attempts = UInt32(attempt) }, .failure(error), now: 0, &random).runAt
            }
            #expect(waits.allSatisfy { (0...Int64(bound)).contains($0) })
            #expect((waits.max() ?? 0) > Int64(bound / 2) && (waits.min() ?? 0) < Int64(bound / 2))
        }
    }
}
