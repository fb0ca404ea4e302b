// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts

/// Works off one queue: leases what it has room for, runs it, keeps the leases alive, and settles what has ended.
struct JobWork: ActionState {
    /// What happened. Times are milliseconds of a monotonic clock.
    enum Input: Sendable {
        /// Begin, or go on after a wait.
        case proceed
        /// What an earlier life of this host left leased.
        case orphans([JobsJobOutcome])
        /// Jobs leased until then, or none.
        case leased([JobsJob], until: Int64)
        /// A lease, or the look for orphans, failed.
        case failed
        /// A run has ended like this, after so many milliseconds.
        case ended(JobsJobOutcome, took: Double)
        /// The store knows how these ended, or will never.
        case settled([String])
        /// Time for a heartbeat.
        case tick(now: Int64)
        /// The leases of these, but for the lost, last until then.
        case beaten([String], lost: [String], cancelled: [String], until: Int64)
        /// The heartbeat failed.
        case beatFailed
        /// What waited when so many runs had ended has waited a while.
        case waited(since: Int)
        /// Take no more, and end when what runs has ended.
        case stop
        /// What still runs has no more time.
        case giveUp
        /// It did not end even so.
        case abandon
    }

    /// What to do.
    enum Action: Sendable, Equatable {
        /// Look for what an earlier life left.
        case findOrphans
        /// Lease at most so many.
        case lease(Int)
        /// Give up a lease that waits.
        case abandonLease
        /// Run it.
        case run(JobsJob)
        /// Cancel its run.
        case cancel(String)
        /// Tell the store.
        case settle(JobsJobOutcome)
        /// Go on after so many milliseconds.
        case wait(Int64)
        /// Tick after so many milliseconds.
        case tick(Int64)
        /// Make these leases longer.
        case beat([JobsJobToken])
        /// Tell after so many milliseconds that this was said.
        case watch(Int64, since: Int)
        /// Nothing is held any more.
        case stopped
    }

    /// Jobs held here in whatever state.
    struct Figures: Sendable, Equatable {
        var queued = 0
        var running = 0
        var settling = 0
    }

    /// Longest stretch of work that is leased ahead, in milliseconds: what waits here waits for this host alone.
    static let ahead = 100.0
    /// Most jobs leased ahead.
    static let mostAhead = 500
    /// Milliseconds that jobs leased ahead wait while no run ends; then others may have them.
    static let patience: Int64 = 500
    /// Ended jobs that the store does not know of yet, beyond which no more are leased.
    static let mostSettling = 2000
    /// Milliseconds between a lease that waited in vain and the next.
    static let pauseAfterNothing: Int64 = 20

    private struct Held: Sendable {
        enum State: Sendable, Equatable { case queued, running, settling }
        var job: JobsJob
        var state = State.queued
        /// Another may have it by now: how it ends is nobody's business.
        var isLost = false
        var isCancelled = false
        var isGivenUp = false
        var until: Int64
        /// Leased anew while the run of a lost lease has not ended: it begins after that.
        var next: JobsJob?
        /// Whose lease is to be kept.
        var leased: JobsJob? { isLost ? next : job }
    }

    private enum Phase: Equatable { case idle, looking, ready }

    let queue: JobQueue
    private let verdict: JobVerdict
    private var phase = Phase.idle
    private var held: [String: Held] = [:]
    private var waiting = JobFIFO()
    private var figures = Figures()
    private var isLeasing = false
    private var isWaiting = false
    private var isTicking = false
    private var isBeating = false
    private var isWatching = false
    /// Runs that have ended.
    private var endings = 0
    private var isStopping = false
    private var isStopped = false
    /// Moving mean of a run's time in milliseconds; nil before the first.
    private var mean: Double?
    private var backoff = Backoff()

    init(_ queue: JobQueue) {
        self.queue = queue
        verdict = JobVerdict(queue: queue)
    }

    /// What is held now.
    var standing: Figures { figures }

    mutating func handle(_ input: Input) -> [Action] {
        var actions: [Action] = []
        switch input {
        case .proceed: isWaiting = false
        case .orphans(let outcomes):
            phase = .ready
            backoff.reset()
            actions = outcomes.map { .settle($0) }
        case .leased(let jobs, let until): actions = leased(jobs, until)
        case .failed: actions = failed()
        case .ended(let outcome, let took): actions = ended(outcome, took)
        case .settled(let jobs): settled(jobs)
        case .tick(let now): actions = tick(now)
        case .beaten(let jobs, let lost, let cancelled, let until): actions = beaten(jobs, lost, cancelled, until)
        case .beatFailed: isBeating = false
        case .waited(let since): actions = waited(since)
        case .stop: actions = stop()
        case .giveUp: actions = giveUp()
        case .abandon: abandon()
        }
        return actions + proceed()
    }

    /// Starts whatever there is room for.
    private mutating func proceed() -> [Action] {
        if isStopping {
            guard held.isEmpty, !isLeasing, phase != .looking, !isStopped else { return [] }
            isStopped = true
            return [.stopped]
        }
        var actions: [Action] = []
        if phase == .idle, !isWaiting {
            phase = .looking
            actions.append(.findOrphans)
        }
        while figures.running < queue.concurrency, let id = waiting.next() {
            guard var next = held[id], next.state == .queued else { continue }
            next.state = .running
            held[id] = next
            figures.queued -= 1
            figures.running += 1
            actions.append(.run(next.job))
        }
        if figures.queued > 0, !isWatching {
            isWatching = true
            actions.append(.watch(Self.patience, since: endings))
        }
        if let lease = lease() { actions.append(lease) }
        if !held.isEmpty, !isTicking {
            isTicking = true
            actions.append(.tick(queue.heartbeat))
        }
        return actions
    }

    private mutating func lease() -> Action? {
        let ahead = ahead
        let room = queue.concurrency + ahead - figures.running - figures.queued
        guard phase == .ready, !isLeasing, !isWaiting, room > 0, figures.queued <= ahead / 2,
            figures.settling < Self.mostSettling
        else { return nil }
        isLeasing = true
        return .lease(min(room, 1000))
    }

    /// How many to lease beyond those that run: as many as will be begun within a moment.
    private var ahead: Int {
        guard let mean, queue.globalConcurrency == 0 else { return 0 }
        return min(Self.mostAhead, Int(Double(queue.concurrency) * Self.ahead / max(mean, 0.01)))
    }

    /// Runs turned out longer than those before them: what waits behind them is given back, for whoever has room.
    private mutating func waited(_ since: Int) -> [Action] {
        isWatching = false
        guard endings == since, !isStopping else { return [] }
        // Nothing is leased ahead before it is known again how long runs take.
        mean = nil
        return held.filter { $0.value.state == .queued }.map { id, job in settle(id, JobVerdict.givenBack(job.job)) }
    }

    private mutating func leased(_ jobs: [JobsJob], _ until: Int64) -> [Action] {
        isLeasing = false
        backoff.reset()
        guard !jobs.isEmpty || isStopping else {
            isWaiting = true
            return [.wait(Self.pauseAfterNothing)]
        }
        return jobs.flatMap { job in held[job.jobID] == nil ? take(job, until) : leasedAnew(job, until) }
    }

    private mutating func take(_ job: JobsJob, _ until: Int64) -> [Action] {
        held[job.jobID] = Held(job: job, until: until)
        figures.queued += 1
        if isStopping { return [settle(job.jobID, JobVerdict.givenBack(job))] }
        if job.cancelRequested { return [settle(job.jobID, JobVerdict.cancelled(job))] }
        if let outcome = verdict.lost(job) { return [settle(job.jobID, outcome)] }
        waiting.append(job.jobID)
        return []
    }

    /// Its lease ran out, unnoticed here, and it came to this host again.
    private mutating func leasedAnew(_ job: JobsJob, _ until: Int64) -> [Action] {
        let lost = held[job.jobID]?.isLost == false ? lose(job.jobID) : []
        guard held[job.jobID]?.state == .running else {
            if held[job.jobID]?.state == .settling { figures.settling -= 1 }
            return lost + take(job, until)
        }
        held[job.jobID]?.next = job
        held[job.jobID]?.until = until
        return lost
    }

    private mutating func failed() -> [Action] {
        isLeasing = false
        if phase == .looking { phase = .idle }
        guard !isStopping else { return [] }
        isWaiting = true
        return [.wait(backoff.fail())]
    }

    private mutating func ended(_ outcome: JobsJobOutcome, _ took: Double) -> [Action] {
        endings += 1
        mean = mean.map { $0 * 0.9 + took * 0.1 } ?? took
        guard let job = held[outcome.jobID], job.state == .running else { return [] }
        if job.isLost {
            figures.running -= 1
            held[outcome.jobID] = nil
            return job.next.map { take($0, job.until) } ?? []
        }
        guard outcome.state != .done else { return [settle(outcome.jobID, outcome)] }
        if job.isCancelled { return [settle(outcome.jobID, JobVerdict.cancelled(job.job))] }
        if job.isGivenUp { return [settle(outcome.jobID, JobVerdict.givenBack(job.job))] }
        return [settle(outcome.jobID, outcome)]
    }

    private mutating func settle(_ id: String, _ outcome: JobsJobOutcome) -> Action {
        switch held[id]?.state {
        case .queued?: figures.queued -= 1
        case .running?: figures.running -= 1
        case .settling?, nil: return .settle(outcome)
        }
        figures.settling += 1
        held[id]?.state = .settling
        return .settle(outcome)
    }

    private mutating func settled(_ jobs: [String]) {
        for id in jobs where held[id]?.state == .settling {
            held[id] = nil
            figures.settling -= 1
        }
    }
}

extension JobWork {
    private mutating func tick(_ now: Int64) -> [Action] {
        isTicking = false
        var actions: [Action] = []
        for (id, job) in held where job.until <= now { actions += lose(id) }
        let tokens = held.values.compactMap(\.leased).map { job in
            JobsJobToken.with {
                $0.jobID = job.jobID
                $0.fencingToken = job.fencingToken
            }
        }
        guard !isBeating, !tokens.isEmpty else { return actions }
        isBeating = true
        return actions + [.beat(tokens)]
    }

    private mutating func beaten(
        _ jobs: [String], _ lost: [String], _ cancelled: [String], _ until: Int64
    ) -> [Action] {
        isBeating = false
        var actions: [Action] = []
        for id in jobs { held[id]?.until = until }
        for id in lost { actions += lose(id) }
        for id in cancelled { actions += cancel(id) }
        return actions
    }

    private mutating func lose(_ id: String) -> [Action] {
        guard let job = held[id] else { return [] }
        held[id]?.next = nil
        guard !job.isLost else { return [] }
        switch job.state {
        case .queued:
            held[id] = nil
            figures.queued -= 1
            return []
        case .running:
            held[id]?.isLost = true
            return [.cancel(id)]
        // Its end is on the way; the store drops it by its token.
        case .settling: return []
        }
    }

    private mutating func cancel(_ id: String) -> [Action] {
        guard let job = held[id], !job.isCancelled, !job.isLost else { return [] }
        held[id]?.isCancelled = true
        switch job.state {
        case .queued: return [settle(id, JobVerdict.cancelled(job.job))]
        case .running: return [.cancel(id)]
        case .settling: return []
        }
    }

    private mutating func stop() -> [Action] {
        guard !isStopping else { return [] }
        isStopping = true
        var actions: [Action] = isLeasing ? [.abandonLease] : []
        for (id, job) in held where job.state == .queued {
            actions.append(settle(id, JobVerdict.givenBack(job.job)))
        }
        return actions
    }

    /// Nobody is told how they end: their leases run out, and not before may they run elsewhere.
    private mutating func abandon() {
        guard isStopping else { return }
        held = [:]
        figures = Figures()
        isLeasing = false
        if phase == .looking { phase = .ready }
    }

    private mutating func giveUp() -> [Action] {
        guard isStopping else { return [] }
        return held.filter { $0.value.state == .running && !$0.value.isGivenUp }.map { id, _ in
            held[id]?.isGivenUp = true
            return .cancel(id)
        }
    }
}

/// Ids in the order they came, taken from the front in constant time.
private struct JobFIFO: Sendable {
    private var ids: [String] = []
    private var first = 0

    mutating func append(_ id: String) { ids.append(id) }

    mutating func next() -> String? {
        guard first < ids.count else { return nil }
        defer {
            first += 1
            if first == ids.count || first > 1024 {
                ids.removeFirst(first)
                first = 0
            }
        }
        return ids[first]
    }
}
