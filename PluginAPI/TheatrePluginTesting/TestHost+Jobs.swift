// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import Synchronization
public import TheatreContracts
internal import TheatreManifest
internal import TheatrePlugin

extension TestHost {
    /// A run of a job and how it ended.
    public struct JobRun: Sendable, Hashable {
        /// As it was leased, with its attempt.
        public let job: JobsJob
        /// DONE, DEAD, or WAITING to be repeated.
        public let state: JobsJobState
        /// Of the error it ended with, or empty.
        public let reason: String
    }

    /// Runs the jobs that are due, as the host does, one after the other, until none is left: those in the queues of all
    /// installed instances, kept by the installed instance that provides `theatre.jobs.v1.Queue`.
    ///
    /// A run that is to be repeated waits for its back-off, without jitter: ``advance(milliseconds:)`` and run again.
    ///
    /// - Parameter limit: runs at most.
    /// - Throws: what the store fails with. What a run fails with is in its result.
    @discardableResult
    public func runJobs(limit: Int = 1000) async throws -> [JobRun] {
        let store = try provider(of: "theatre.jobs.v1.Queue", otherwise: "test.no_queue")
        let slots = core.state.withLock { Array($0.slots.values) }
        let client = JobsQueueClient(
            scope(HostContext.with { $0.principalKind = .system }, as: "host"),
            feature: "theatre.jobs.v1.Queue@\(store)")
        let queues = Dictionary(
            uniqueKeysWithValues: slots.map { slot in (slot.name, slot.manifest?.queues ?? []) })
        let request = JobsLeaseRequest.with { request in
            request.worker = "test"
            request.leaseMs = 60_000
            request.queues = queues.sorted { $0.key < $1.key }.flatMap { owner, queues in
                queues.map { queue in
                    .with {
                        $0.owner = owner
                        $0.queue = queue.name
                        $0.limit = 1
                    }
                }
            }
        }
        var runs: [JobRun] = []
        while runs.count < limit, !request.queues.isEmpty {
            let jobs = try await client.lease(request).jobs
            guard !jobs.isEmpty else { break }
            for job in jobs {
                let queue = queues[job.owner]?.first { $0.name == job.queue }
                let outcome = await outcome(of: job, queue)
                _ = try await client.finish(.with { $0.outcomes = [outcome] })
                runs.append(JobRun(job: job, state: outcome.state, reason: outcome.reason))
            }
        }
        return runs
    }

    private func outcome(of job: JobsJob, _ queue: Manifest.Queue?) async -> JobsJobOutcome {
        var outcome = JobsJobOutcome()
        outcome.jobID = job.jobID
        outcome.fencingToken = job.fencingToken
        let context = HostContext.with {
            $0.principalKind = .system
            $0.tenant = job.tenant
            $0.traceparent = job.traceparent
        }
        let worker = JobsWorkerClient(scope(context, as: "host"), feature: "theatre.jobs.v1.Worker@\(job.owner)")
        do {
            outcome.result = try await worker.run(.with { $0.job = job }).result
            outcome.state = .done
        } catch {
            let error = PluginError(any: error)
            outcome.reason = error.reason
            outcome.message = error.message
            let attempts = job.maxAttempts == 0 ? queue?.maxAttempts ?? 5 : Int(job.maxAttempts)
            let wait = Self.wait(after: error, attempt: Int(job.attempts), queue)
            outcome.state = wait == nil || Int(job.attempts) >= attempts ? .dead : .waiting
            outcome.runAt = outcome.state == .waiting ? now + (wait ?? 0) : 0
        }
        return outcome
    }

    private static func wait(after error: PluginError, attempt: Int, _ queue: Manifest.Queue?) -> Int64? {
        let base = Int64(queue?.backoffMilliseconds ?? 1000) << Int64(min(max(attempt - 1, 0), 32))
        let doubled = min(Int64(queue?.backoffMaxMilliseconds ?? 600_000), base)
        switch error.retry {
        case .never: return [.deadlineExceeded, .cancelled].contains(error.code) ? doubled : nil
        case .safe: return doubled
        case .after(let milliseconds): return max(doubled, Int64(clamping: milliseconds))
        }
    }
}
