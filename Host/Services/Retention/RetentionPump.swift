// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// How long what has ended is kept, in milliseconds; 0: for ever.
public struct RetentionPeriods: Sendable, Hashable {
    /// Events that every consumer has taken.
    public var events: Int64
    /// Jobs that are done or cancelled.
    public var endedJobs: Int64
    /// Jobs that are dead.
    public var deadJobs: Int64
    /// Audit rows, by whole segments.
    public var audit: Int64

    /// Periods.
    public init(events: Int64, endedJobs: Int64, deadJobs: Int64, audit: Int64 = 0) {
        self.events = events
        self.endedJobs = endedJobs
        self.deadJobs = deadJobs
        self.audit = audit
    }
}

/// Removes what is older than it is to be kept: a minute after the start, then every hour, in bounded steps.
///
/// Several hosts may do so at once; the second finds nothing.
public final class RetentionPump: Sendable {
    /// Time before the first round, in milliseconds.
    static let first: Int64 = 60_000
    /// Time between rounds, in milliseconds.
    static let interval: Int64 = 3_600_000
    /// Rows that one step removes.
    static let step: UInt32 = 1000

    private let caller: UnaryCaller
    private let storage: String
    private let periods: RetentionPeriods
    private let segments: AuditRetention?
    private let clock: any ServiceClock
    private let log: Logger
    private let state = Mutex(State())

    private struct State {
        var isOn = false
        var pending: (any PendingWake)?
        var removed: [String: Int] = [:]
    }

    /// What a step removes.
    private enum Kind: Int, CaseIterable {
        case events, done, cancelled, dead, audit
    }

    /// A pump over the storage instance `storage`.
    ///
    /// - Parameters:
    ///   - keys: where the key is that signs what is removed of the audit log.
    ///   - auditKey: its name.
    public convenience init(
        calls: any CallStarting, storage: String, periods: RetentionPeriods, keys: any KeySource, auditKey: String,
        clock: any ServiceClock, log: Logger
    ) {
        let calls = DispatchedCalls(calls: calls)
        self.init(
            calls, storage: storage, periods: periods,
            segments: AuditRetention(calls, storage: storage, keys: keys, key: auditKey), clock: clock, log: log)
    }

    init(
        _ calls: any UnaryCalling, storage: String, periods: RetentionPeriods, segments: AuditRetention? = nil,
        clock: any ServiceClock, log: Logger
    ) {
        caller = UnaryCaller(calls: calls)
        self.segments = segments
        self.storage = storage
        self.periods = periods
        self.clock = clock
        self.log = log
    }

    /// Begins.
    public func start() {
        state.withLock { $0.isOn = true }
        wake(after: Self.first)
    }

    /// Ends; a step under way comes to its end by itself.
    public func stop() {
        let pending = state.withLock { state in
            state.isOn = false
            return state.pending
        }
        pending?.cancel()
    }

    /// Begins a round now, unless one is under way: after the clock was moved.
    public func look() {
        guard let pending = takePending() else { return }
        pending.cancel()
        step(.events)
    }

    /// Rows removed, by kind.
    public func metrics() -> [MetricFamily] {
        [
            MetricFamily(
                "theatre_retention_removed_total", .counter, "Rows removed because they were kept long enough.",
                state.withLock { $0.removed }.sorted { $0.key < $1.key }.map {
                    MetricSample(["kind": $0.key], Double($0.value))
                })
        ]
    }

    private func wake(after milliseconds: Int64) {
        let wake = clock.wake(after: milliseconds) { [weak self] in self?.due() }
        let isOn = state.withLock { state in
            state.pending = wake
            return state.isOn
        }
        if !isOn { wake.cancel() }
    }

    private func due() {
        if takePending() != nil { step(.events) }
    }

    /// What the next round waits for; it is whoever's takes it to begin the round.
    private func takePending() -> (any PendingWake)? {
        state.withLock { state in
            defer { state.pending = nil }
            return state.pending
        }
    }

    private func step(_ kind: Kind) {
        guard state.withLock({ $0.isOn }) else { return }
        switch kind {
        case .events: trim()
        case .done: remove(.done, .done, periods.endedJobs)
        case .cancelled: remove(.cancelled, .cancelled, periods.endedJobs)
        case .dead: remove(.dead, .dead, periods.deadJobs)
        case .audit: removeSegment()
        }
    }

    /// One whole segment of an audit chain a step, for as long as there is one.
    private func removeSegment() {
        guard periods.audit > 0, let segments else { return next(after: .audit) }
        let now = clock.wall
        segments.removeOne(olderThan: now - periods.audit, at: now) { [self] result in
            switch result {
            case .success(let removed):
                guard let removed else { return next(after: .audit) }
                state.withLock { $0.removed["audit", default: 0] += Int(removed) }
                step(.audit)
            case .failure(let error): ended(.audit, .failure(error))
            }
        }
    }

    private func next(after kind: Kind) {
        guard let next = Kind(rawValue: kind.rawValue + 1) else { return wake(after: Self.interval) }
        step(next)
    }

    private func trim() {
        guard periods.events > 0 else { return next(after: .events) }
        let request = EventsTrimRequest.with {
            $0.before = clock.wall - periods.events
            $0.limit = Self.step
        }
        caller.call(storage, "theatre.events.v1.Log/Trim", request, .system) {
            [self] (result: Result<EventsTrimResponse, CallError>) in ended(.events, result.map(\.removed))
        }
    }

    private func remove(_ kind: Kind, _ jobs: JobsJobState, _ period: Int64) {
        guard period > 0 else { return next(after: kind) }
        let request = JobsControlRequest.with {
            $0.action = .remove
            $0.state = jobs
            $0.before = clock.wall - period
            $0.limit = Self.step
        }
        caller.call(storage, "theatre.jobs.v1.Queue/Control", request, .system) {
            [self] (result: Result<JobsControlResponse, CallError>) in ended(kind, result.map(\.changed))
        }
    }

    private func ended(_ kind: Kind, _ result: Result<UInt32, CallError>) {
        switch result {
        case .success(let removed):
            state.withLock { $0.removed["\(kind)", default: 0] += Int(removed) }
            if removed >= Self.step { step(kind) } else { next(after: kind) }
        case .failure(let error):
            if error.code != .unimplemented {
                log.warning("what was kept long enough cannot be removed", metadata: error.metadata)
            }
            next(after: kind)
        }
    }
}
