// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Runtime
internal import Synchronization

/// Works off the queues of all instances, and fires their schedules.
///
/// A job is leased to one host at a time and runs in the instance that enqueued it; its end is stored under the lease's
/// fencing token. Its run is repeated after an error that is worth it, with exponential back-off and full jitter, until
/// its attempts are used up. Attempts are counted when a job is leased, so one that takes its host down ends dead too.
public final class JobPump: Sendable {
    /// How long a run may take to heed its cancellation, and its end to be stored, in milliseconds.
    static let grace: Int64 = 2000

    private let parts: JobParts
    private let schedules: SchedulePump
    private let state = Mutex(State())

    private struct State {
        var runs: [JobQueue: JobRun] = [:]
        /// Their queues are gone; what they began goes on.
        var ending: [ObjectIdentifier: JobRun] = [:]
        var isStopped = false
    }

    /// A pump over the queues in the storage instance `storage`.
    ///
    /// - Parameter keySource: by which the job of the host's own, ``hostQueue``, wraps data keys anew.
    public convenience init(
        calls: any CallStarting, storage: String, keySource: String, clock: any ServiceClock, worker: WorkerName,
        log: Logger
    ) {
        let calls = DispatchedCalls(calls: calls)
        let rewrap = SecretRewrap(calls, storage: storage, keySource: keySource)
        self.init(
            HostWorker(calls, rewrap: rewrap), storage: storage, clock: clock, worker: worker, log: log,
            offload: SchedulePump.onThreadPool)
    }

    /// The queue that the host itself fills and works off, one job at a time on all hosts together.
    public static var hostQueue: JobQueue {
        var queue = JobQueue(owner: HostWorker.name, name: SecretRewrap.queue)
        queue.concurrency = 1
        queue.globalConcurrency = 1
        queue.maxAttempts = 20
        queue.timeout = 600_000
        return queue
    }

    init(
        _ calls: any UnaryCalling, storage: String, clock: any ServiceClock, worker: WorkerName, log: Logger,
        offload: @escaping SchedulePump.Offload
    ) {
        let caller = UnaryCaller(calls: calls)
        parts = JobParts(
            caller: caller, storage: storage, clock: clock, worker: worker,
            finisher: JobFinisher(caller, storage, clock, log), log: log)
        schedules = SchedulePump(caller, storage, clock, log, offload)
    }

    /// Works off exactly these queues from now on. What runs of a queue that is gone may end.
    public func serve(_ queues: Set<JobQueue>) {
        let (begun, ended) = state.withLock { state -> ([JobRun], [JobRun]) in
            guard !state.isStopped else { return ([], []) }
            let ended = state.runs.filter { !queues.contains($0.key) }
            for (queue, run) in ended {
                state.runs[queue] = nil
                state.ending[ObjectIdentifier(run)] = run
            }
            var begun: [JobRun] = []
            for queue in queues where state.runs[queue] == nil {
                let run = JobRun(queue, parts)
                state.runs[queue] = run
                begun.append(run)
            }
            return (begun, Array(ended.values))
        }
        for run in ended {
            run.stop { [weak self, weak run] in
                guard let self, let run else { return }
                self.state.withLock { $0.ending[ObjectIdentifier(run)] = nil }
            }
        }
        for run in begun { run.start() }
        if queues.isEmpty { schedules.pause() } else { schedules.start() }
    }

    /// Looks at queues and schedules now: after the clock was moved.
    public func look() {
        for run in state.withLock({ Array($0.runs.values) }) { run.look() }
        schedules.look()
    }

    /// Leases no more. What runs may end within `drain` milliseconds, then it is cancelled and given back; `then` is
    /// called when nothing is held any more.
    public func stop(drain: Int64, _ then: @escaping @Sendable () -> Void) {
        let all = state.withLock { state in
            state.isStopped = true
            return Array(state.runs.values) + Array(state.ending.values)
        }
        schedules.pause()
        guard !all.isEmpty else { return then() }
        let over = parts.clock.wake(after: drain) { for run in all { run.giveUp() } }
        let grace = parts.clock.wake(after: drain + Self.grace) { for run in all { run.abandon() } }
        let left = Remaining(all.count) {
            over.cancel()
            grace.cancel()
            then()
        }
        for run in all { run.stop { left.arrive() } }
    }

    /// Runs by queue and outcome, and what is held.
    public func metrics() -> [MetricFamily] {
        let runs = state.withLock { Array($0.runs.values) }
        func label(_ run: JobRun) -> [String: String] { ["instance": run.queue.owner, "queue": run.queue.name] }
        func labelNow(_ run: JobRun) -> [String: String] {
            label(run).merging(["generation": "\(run.generation)"]) { $1 }
        }
        func counted(_ body: ([String: String], JobRun.Counts) -> [MetricSample]) -> [MetricSample] {
            runs.flatMap { run in
                run.counts.flatMap { body(label(run).merging(["generation": "\($0)"]) { $1 }, $1) }
            }
        }
        return [
            MetricFamily(
                "theatre_job_runs_total", .counter, "Runs of jobs, by how they ended.",
                counted { labels, counts in
                    counts.byOutcome.map { MetricSample(labels.merging(["outcome": $0]) { $1 }, Double($1)) }
                }),
            MetricFamily(
                "theatre_job_run_seconds_total", .counter, "Time spent in runs of jobs.",
                counted { [MetricSample($0, $1.seconds)] }),
            MetricFamily(
                "theatre_jobs_running", .gauge, "Jobs that run now.",
                runs.map { MetricSample(labelNow($0), Double($0.standing.running)) }),
            MetricFamily(
                "theatre_jobs_leased_ahead", .gauge, "Jobs that are leased and wait for their run.",
                runs.map { MetricSample(labelNow($0), Double($0.standing.queued)) }),
            schedules.metrics(),
        ]
    }
}
