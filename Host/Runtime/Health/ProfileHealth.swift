// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Registry
internal import Synchronization

/// What the calls of a profile for one capability say of it, and the breaker that keeps callers off one that fails.
///
/// Asked before each call and told after it, on any thread; the lock is held for a few instructions and never across a call.
public final class ProfileHealth: Sendable {
    /// Whether a call may be sent.
    enum Admission: Sendable, Equatable {
        case free
        /// It is the one that tries a profile that was down. What becomes of it must be told, whatever it is.
        case trial
        /// Not before so many nanoseconds have passed, and why.
        case refused(UInt64, String)
    }

    /// Name of the profile.
    public let profile: String
    /// Name of its instance.
    public let instance: String
    /// What it is asked for.
    public let capability: String
    let judge: FaultJudge
    private let rules: HealthRules
    private let changed: @Sendable (HealthReport) -> Void
    private let state = Mutex(State())

    private struct State {
        /// Monotonic nanoseconds until which it is not called; 0 for none.
        var until: UInt64 = 0
        var isOpen = false
        var hasTrial = false
        var openings = 0
        var row = 0
        var lastingRow = 0
        var window = OutcomeWindow()
        var calls: UInt64 = 0
        var failures: UInt64 = 0
        var latency: Double = 0
        var lastCall: UInt64 = 0
        var lastFailure: HealthReport.Failure?
        var shown = HealthState.unknown
        var since: UInt64 = 0

        mutating func succeed(_ nanoseconds: UInt64, isTrial: Bool) {
            // What was sent before the breaker opened and is answered now does not close it.
            if isOpen, !isTrial { return window.add(failed: false) }
            if isTrial {
                isOpen = false
                openings = 0
                until = 0
                window = OutcomeWindow()
            }
            row = 0
            lastingRow = 0
            window.add(failed: false)
            latency = latency == 0 ? Double(nanoseconds) : latency + 0.1 * (Double(nanoseconds) - latency)
        }
    }

    /// - Parameter changed: told of each change of state, once, on the thread of the call that made it. Must not block.
    init(
        profile: String, instance: String, capability: String, judge: FaultJudge = FaultJudge(),
        rules: HealthRules = HealthRules(),
        changed: @escaping @Sendable (HealthReport) -> Void = { _ in }
    ) {
        self.profile = profile
        self.instance = instance
        self.capability = capability
        self.judge = judge
        self.rules = rules
        self.changed = changed
    }

    /// Asked for a call that is about to be sent.
    func admit(_ clock: any HostClock) -> Admission {
        let now = clock.monotonic()
        let (admission, report) = state.withLock { state -> (Admission, HealthReport?) in
            if now < state.until { return (.refused(state.until - now, reason(state, now, clock.wall())), nil) }
            guard state.isOpen else { return (.free, nil) }
            guard !state.hasTrial else {
                return (.refused(Self.trialPatience, "\(reason(state, now, clock.wall())); one call is trying it"), nil)
            }
            state.hasTrial = true
            return (.trial, noted(&state, now, clock.wall()))
        }
        if let report { changed(report) }
        return admission
    }

    /// While one call tries a profile, others ask again after this.
    private static let trialPatience: UInt64 = 1_000_000_000

    /// Told of a call that ended, or was not sent after all.
    ///
    /// - Parameters:
    ///   - admission: what was said of it.
    ///   - error: nil where it was answered.
    ///   - nanoseconds: how long it took.
    /// - Returns: what it says of the provider.
    @discardableResult
    func ended(
        _ admission: Admission, _ error: CallError?, after nanoseconds: UInt64, _ clock: any HostClock
    ) -> FaultJudge.Verdict {
        let verdict = judge.verdict(error, after: nanoseconds)
        let now = clock.monotonic(), wall = clock.wall()
        let report = state.withLock { state -> HealthReport? in
            if admission == .trial { state.hasTrial = false }
            switch verdict {
            case .nothing: break
            case .well: state.succeed(nanoseconds, isTrial: admission == .trial)
            case .failed(let kind):
                state.lastFailure = .init(kind: kind, reason: error?.reason ?? "", at: Int64(wall / 1_000_000))
                fail(&state, kind, error?.retry ?? .never, now, isTrial: admission == .trial)
            }
            if verdict != .nothing {
                state.calls += 1
                state.lastCall = wall
            }
            return noted(&state, now, wall)
        }
        if let report { changed(report) }
        return verdict
    }

    /// What is known of it.
    func report(_ clock: any HostClock) -> HealthReport {
        state.withLock { report($0, clock.monotonic(), clock.wall()) }
    }

    private func fail(
        _ state: inout State, _ kind: FaultClass, _ retry: CallError.Retry, _ now: UInt64, isTrial: Bool
    ) {
        state.failures += 1
        state.window.add(failed: true)
        state.row += 1
        state.lastingRow = kind == .auth || kind == .quota ? state.lastingRow + 1 : 0
        if case .after(let milliseconds) = retry, !state.isOpen {
            state.until = max(state.until, now + min(milliseconds &* 1_000_000, rules.longest))
        }
        let isTooMany =
            state.row >= rules.failures || state.lastingRow >= rules.lastingFailures
            || state.window.count >= rules.leastCalls && state.window.permille >= rules.failedPermille
        // Calls that were under way when it opened say nothing that is not known.
        guard isTrial || isTooMany && !state.isOpen else { return }
        state.isOpen = true
        state.openings += 1
        state.until = max(state.until, now + rules.pause(state.openings))
    }

    /// A report where the state is another than the last one shown.
    private func noted(_ state: inout State, _ now: UInt64, _ wall: UInt64) -> HealthReport? {
        let current = shown(state, now)
        guard current != state.shown else { return nil }
        state.shown = current
        state.since = wall
        return report(state, now, wall)
    }

    private func shown(_ state: borrowing State, _ now: UInt64) -> HealthState {
        if state.isOpen { return state.hasTrial ? .halfOpen : .down }
        if state.calls == 0, state.lastFailure == nil { return .unknown }
        return state.row > 0 || state.window.permille >= Self.degraded || now < state.until ? .degraded : .healthy
    }

    /// Thousandths of failed calls from which on a profile is said to be degraded.
    private static let degraded = 100

    private func report(_ state: borrowing State, _ now: UInt64, _ wall: UInt64) -> HealthReport {
        HealthReport(
            profile: profile, instance: instance, capability: capability, state: shown(state, now),
            since: Int64(state.since / 1_000_000),
            retryAt: now < state.until ? Int64((wall + (state.until - now)) / 1_000_000) : 0, calls: state.calls,
            failures: state.failures, failedPermille: state.window.permille, latency: Int64(state.latency / 1000),
            lastCall: Int64(state.lastCall / 1_000_000), lastFailure: state.lastFailure)
    }

    /// Why it is not called.
    private func reason(_ state: borrowing State, _ now: UInt64, _ wall: UInt64) -> String {
        let last = state.lastFailure.map { "\($0.kind.rawValue), \($0.reason)" } ?? "no reason"
        guard state.isOpen else { return "it asked to be left alone (\(last))" }
        return
            "its breaker is open since \(ClockTime(wall: state.since)) (\(state.row) failures in a row, last: \(last))"
    }
}
