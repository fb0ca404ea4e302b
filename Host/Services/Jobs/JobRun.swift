// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// One queue at work: performs what ``JobWork`` decides.
final class JobRun: Sendable {
    /// How long a lease waits for a first job, in milliseconds.
    static let longPoll: UInt32 = 20_000

    let queue: JobQueue
    /// The worker's generation that runs would reach now; 0 where it does not serve.
    var generation: UInt32 { parts.caller.calls.generation(of: queue.owner, JobQueue.operation) }
    private let loop: ActionLoop<JobWork>
    private let parts: JobParts
    private let verdict: JobVerdict
    private let number = Mutex(0)
    private let state = Mutex(State())

    /// Runs by how they ended.
    struct Counts: Sendable {
        var byOutcome: [String: Int] = [:]
        var seconds = 0.0
    }

    private struct State {
        var pending: (any PendingWake)?
        var ticking: (any PendingWake)?
        var leaseUnderWay = CallID.none
        var leaseIsAbandoned = false
        /// Calls of jobs that run.
        var running: [String: CallID] = [:]
        /// Which generation a job that has ended ran in, until its outcome is counted.
        var ranIn: [String: UInt32] = [:]
        var toCancel: Set<String> = []
        var counts: [UInt32: Counts] = [:]
        var whenStopped: [@Sendable () -> Void] = []
    }

    init(_ queue: JobQueue, _ parts: JobParts) {
        self.queue = queue
        self.parts = parts
        loop = ActionLoop(JobWork(queue))
        verdict = JobVerdict(queue: queue)
    }

    var standing: JobWork.Figures { loop.read(\.standing) }
    /// By generation of the worker.
    var counts: [UInt32: Counts] { state.withLock { $0.counts } }

    func start() {
        let own = parts.finisher.register { [weak self] jobs in self?.post(.settled(jobs)) }
        number.withLock { $0 = own }
        post(.proceed)
    }

    /// Looks at once: the clock was moved.
    func look() {
        let (call, pending) = state.withLock { ($0.leaseUnderWay, $0.pending) }
        pending?.cancel()
        if call != .none { parts.caller.calls.cancel(call) } else { post(.proceed) }
    }

    func stop(_ then: @escaping @Sendable () -> Void) {
        let pending = state.withLock { state in
            state.whenStopped.append(then)
            return state.pending
        }
        pending?.cancel()
        post(.stop)
    }

    /// Cancels what still runs after a stop.
    func giveUp() { post(.giveUp) }

    /// Waits no longer for what heeds no cancellation.
    func abandon() { post(.abandon) }

    private func post(_ input: JobWork.Input) { loop.post(input, perform) }
    private var monotonic: Int64 { Int64(parts.clock.monotonic / 1_000_000) }

    private func perform(_ action: JobWork.Action) {
        switch action {
        case .findOrphans: findOrphans()
        case .lease(let limit): lease(limit)
        case .abandonLease: abandonLease()
        case .run(let job): run(job)
        case .cancel(let id): cancel(id)
        case .settle(let outcome):
            count(outcome)
            parts.finisher.settle(outcome, for: number.withLock { $0 })
        case .wait(let milliseconds):
            let wake = parts.clock.wake(after: milliseconds) { [weak self] in self?.post(.proceed) }
            state.withLock { $0.pending = wake }
        case .tick(let milliseconds):
            let wake = parts.clock.wake(after: milliseconds) { [weak self] in
                guard let self else { return }
                post(.tick(now: monotonic))
            }
            state.withLock { $0.ticking = wake }
        case .beat(let tokens): beat(tokens)
        case .watch(let milliseconds, let since):
            _ = parts.clock.wake(after: milliseconds) { [weak self] in self?.post(.waited(since: since)) }
        case .stopped: stopped()
        }
    }

    private func stopped() {
        parts.finisher.unregister(number.withLock { $0 })
        let (waiting, ticking) = state.withLock { state in
            defer { state.whenStopped = [] }
            return (state.whenStopped, state.ticking)
        }
        ticking?.cancel()
        for then in waiting { then() }
    }

    private func findOrphans() {
        let request = JobsListRequest.with {
            $0.owner = queue.owner
            $0.queue = queue.name
            $0.state = .running
            $0.limit = 1000
        }
        parts.caller.call(parts.storage, "theatre.jobs.v1.Queue/List", request, .system) {
            [self] (result: Result<JobsListResponse, CallError>) in
            switch result {
            case .success(let response):
                let now = parts.clock.wall
                let orphans = response.jobs.filter { parts.worker.isEarlier($0.worker) }
                post(.orphans(orphans.map { verdict.orphan($0, now: now) }))
            case .failure(let error): fail("a queue cannot be looked at", error)
            }
        }
    }

    private func lease(_ limit: Int) {
        let request = JobsLeaseRequest.with {
            $0.worker = parts.worker.name
            $0.leaseMs = UInt32(queue.lease)
            $0.waitMs = Self.longPoll
            $0.queues = [
                .with {
                    $0.owner = queue.owner
                    $0.queue = queue.name
                    $0.limit = UInt32(limit)
                    $0.concurrency = UInt32(queue.globalConcurrency)
                }
            ]
        }
        let deadline = parts.clock.monotonic + (UInt64(Self.longPoll) + 10_000) * 1_000_000
        let call = parts.caller.call(
            parts.storage, "theatre.jobs.v1.Queue/Lease", request, .system, deadline: deadline
        ) { [self] (result: Result<JobsLeaseResponse, CallError>) in
            state.withLock { $0.leaseUnderWay = .none }
            switch result {
            case .success(let response): leased(response)
            case .failure(let error) where error.code == .cancelled: post(.leased([], until: 0))
            case .failure(let error): fail("jobs cannot be leased", error)
            }
        }
        // Where it has completed by now, cancelling it is harmless: the id is of no other call.
        let isAbandoned = state.withLock { state in
            state.leaseUnderWay = call
            return state.leaseIsAbandoned
        }
        if isAbandoned { parts.caller.calls.cancel(call) }
    }

    /// The lease was taken after it was asked for, at the latest now: reckoned by the store's own end of it.
    private func leased(_ response: JobsLeaseResponse) {
        let left = response.jobs.first.map { $0.leaseUntil - parts.clock.wall } ?? 0
        let bounded = min(max(left, 0), Int64(queue.lease))
        post(.leased(response.jobs, until: monotonic + (bounded == 0 ? Int64(queue.lease) : bounded)))
    }

    private func abandonLease() {
        let call = state.withLock { state in
            state.leaseIsAbandoned = true
            return state.leaseUnderWay
        }
        if call != .none { parts.caller.calls.cancel(call) }
    }

    private func run(_ job: JobsJob) {
        let generation = parts.caller.calls.generation(of: queue.owner, JobQueue.operation)
        state.withLock { state in
            state.running[job.jobID] = CallID.none
            // Runs whose lease was lost have no outcome here.
            if state.ranIn.count > 1000 + state.running.count {
                state.ranIn = state.ranIn.filter { state.running[$0.key] != nil }
            }
            state.ranIn[job.jobID] = generation
        }
        let timeout = job.timeoutMs == 0 ? UInt64(queue.timeout) : UInt64(job.timeoutMs)
        let begun = parts.clock.monotonic
        let context = CallContext(
            HostContext.with {
                $0.principalKind = .system
                $0.tenant = job.tenant
                $0.traceparent = job.traceparent
            })
        let request = JobsRunRequest.with { $0.job = job }
        let call = parts.caller.call(
            queue.owner, JobQueue.operation, request, context, deadline: begun + timeout * 1_000_000,
            attempt: max(1, job.attempts)
        ) { [self] (result: Result<JobsRunResponse, CallError>) in ended(job, result, begun) }
        let isCancelled = state.withLock { state in
            guard state.running[job.jobID] != nil else { return false }
            state.running[job.jobID] = call
            return state.toCancel.contains(job.jobID)
        }
        if isCancelled { parts.caller.calls.cancel(call) }
    }

    private func ended(_ job: JobsJob, _ result: Result<JobsRunResponse, CallError>, _ begun: UInt64) {
        let took = Double(parts.clock.monotonic - begun) / 1_000_000
        state.withLock { state in
            state.running[job.jobID] = nil
            state.toCancel.remove(job.jobID)
            state.counts[state.ranIn[job.jobID] ?? 0, default: Counts()].seconds += took / 1000
        }
        var random = SystemRandomNumberGenerator()
        let outcome = verdict.outcome(of: job, result, now: parts.clock.wall, &random)
        if case .failure(let error) = result {
            parts.log.log(
                level: outcome.state == .dead ? .warning : .debug,
                outcome.state == .dead ? "a job is dead" : "a run failed and is repeated",
                metadata: [
                    "instance": "\(queue.owner)", "queue": "\(queue.name)", "job": "\(job.jobID)",
                    "kind": "\(job.kind)", "attempt": "\(job.attempts)", "reason": "\(error.reason)",
                    "message": "\(error.message)",
                ])
        }
        post(.ended(outcome, took: took))
    }

    private func cancel(_ id: String) {
        let call = state.withLock { state in
            state.toCancel.insert(id)
            return state.running[id]
        }
        if let call, call != .none { parts.caller.calls.cancel(call) }
    }

    private func beat(_ tokens: [JobsJobToken]) {
        let asked = monotonic
        let request = JobsHeartbeatRequest.with {
            $0.worker = parts.worker.name
            $0.jobs = tokens
            $0.leaseMs = UInt32(queue.lease)
        }
        parts.caller.call(parts.storage, "theatre.jobs.v1.Queue/Heartbeat", request, .system) {
            [self] (result: Result<JobsHeartbeatResponse, CallError>) in
            switch result {
            case .success(let response):
                post(
                    .beaten(
                        tokens.map(\.jobID), lost: response.lost, cancelled: response.cancelled,
                        until: asked + Int64(queue.lease)))
            case .failure(let error):
                parts.log.warning("leases of jobs cannot be made longer", metadata: error.metadata)
                post(.beatFailed)
            }
        }
    }

    private func count(_ outcome: JobsJobOutcome) {
        let name =
            switch outcome.state {
            case .done: "done"
            case .dead: "dead"
            case .cancelled: "cancelled"
            case .waiting where outcome.forgive: "given_back"
            default: "repeated"
            }
        state.withLock { state in
            let generation = state.ranIn.removeValue(forKey: outcome.jobID) ?? 0
            state.counts[generation, default: Counts()].byOutcome[name, default: 0] += 1
            state.counts.forgetOld()
        }
    }

    private func fail(_ message: Logger.Message, _ error: CallError) {
        if error.code != .cancelled {
            var metadata = error.metadata
            metadata["instance"] = "\(queue.owner)"
            metadata["queue"] = "\(queue.name)"
            parts.log.warning(message, metadata: metadata)
        }
        post(.failed)
    }
}
