// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Runtime
internal import TheatreContracts

/// What becomes of a job after a run.
struct JobVerdict: Sendable {
    /// Largest answer that is kept, in bytes.
    static let largestResult = 64 << 10
    /// How long a job rests that its instance could not take, in milliseconds.
    static let pause: ClosedRange<Int64> = 250...1000

    let queue: JobQueue

    /// Done, to be repeated, or dead.
    func outcome(
        of job: JobsJob, _ result: Result<JobsRunResponse, CallError>, now: Int64,
        _ random: inout some RandomNumberGenerator
    ) -> JobsJobOutcome {
        switch result {
        case .success(let response): done(job, response)
        case .failure(let error): failed(job, error, now, &random)
        }
    }

    /// A job that was leased more often than it may run: its runs ended with their host, not with an answer.
    func lost(_ job: JobsJob) -> JobsJobOutcome? {
        guard Int(job.attempts) > attempts(of: job) else { return nil }
        return Self.outcome(job, .dead) {
            $0.reason = "jobs.lost"
            $0.message = "Each of its runs ended without an answer, with its host or its lease; see what it does there."
        }
    }

    /// What is left of a host's earlier life: it runs again, while it may.
    func orphan(_ job: JobsJob, now: Int64) -> JobsJobOutcome {
        var next = job
        next.attempts += 1
        return lost(next)
            ?? Self.outcome(job, .waiting) {
                $0.runAt = now
                $0.reason = "jobs.lost"
                $0.message = "Its host stopped while it ran."
            }
    }

    /// Given back before it was begun, or while the host stops.
    static func givenBack(_ job: JobsJob) -> JobsJobOutcome {
        outcome(job, .waiting) {
            $0.runAt = job.runAt
            $0.forgive = true
        }
    }

    /// Ended by request.
    static func cancelled(_ job: JobsJob) -> JobsJobOutcome {
        outcome(job, .cancelled) {
            $0.reason = "jobs.cancelled"
            $0.message = "It was cancelled by request."
        }
    }

    private func done(_ job: JobsJob, _ response: JobsRunResponse) -> JobsJobOutcome {
        Self.outcome(job, .done) {
            guard response.result.count > Self.largestResult else { return $0.result = response.result }
            $0.reason = "jobs.result_too_large"
            $0.message = "Its answer of \(response.result.count) bytes was not kept; \(Self.largestResult) may be."
        }
    }

    private func failed(
        _ job: JobsJob, _ error: CallError, _ now: Int64, _ random: inout some RandomNumberGenerator
    ) -> JobsJobOutcome {
        if Self.neverBegan.contains(error.reason), error.effect == .none {
            return Self.outcome(job, .waiting) {
                $0.runAt = now + Int64.random(in: Self.pause, using: &random)
                $0.reason = error.reason
                $0.message = String(error.message.prefix(1000))
                $0.forgive = true
            }
        }
        let isLast = Int(job.attempts) >= attempts(of: job)
        let wait = wait(after: error, attempt: Int(job.attempts), &random)
        return Self.outcome(job, isLast || wait == nil ? .dead : .waiting) {
            $0.runAt = isLast ? 0 : now + (wait ?? 0)
            $0.reason = error.reason
            $0.message = String(error.message.prefix(1000))
        }
    }

    /// The instance was not there, or could take no more: nothing of the job was begun.
    private static let neverBegan: Set<String> = [
        "instance.busy", "instance.closed", "instance.retired", "instance.unknown", "call.table_full",
    ]

    /// Passing by their nature: a job may run again whatever its last run did, so what holds for a client does not here.
    private static let passing: Set<StatusCode> = [.deadlineExceeded, .cancelled, .unavailable, .aborted]

    /// Nil where the error is not worth a repetition. A run that took too long, or ended with its instance or with what
    /// it needed, is.
    private func wait(
        after error: CallError, attempt: Int, _ random: inout some RandomNumberGenerator
    ) -> Int64? {
        let doubled = min(Int64(queue.backoffMax), Int64(queue.backoff) << Int64(min(max(attempt - 1, 0), 32)))
        let jittered = Int64.random(in: 0...doubled, using: &random)
        switch error.retry {
        case .after(let milliseconds): return max(jittered, Int64(clamping: min(milliseconds, 86_400_000)))
        case .safe: return jittered
        case .never: return Self.passing.contains(error.code) ? jittered : nil
        }
    }

    private func attempts(of job: JobsJob) -> Int {
        job.maxAttempts == 0 ? queue.maxAttempts : Int(job.maxAttempts)
    }

    private static func outcome(
        _ job: JobsJob, _ state: JobsJobState, _ fill: (inout JobsJobOutcome) -> Void
    ) -> JobsJobOutcome {
        var outcome = JobsJobOutcome()
        outcome.jobID = job.jobID
        outcome.fencingToken = job.fencingToken
        outcome.state = state
        fill(&outcome)
        return outcome
    }
}
