// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// Fires the timers that instances set: at least once, at or after their time, also after a kill.
///
/// A timer is deleted when its firing succeeded and nobody set it anew meanwhile; after an error it fires again after
/// 1 s, doubling to 60 s. It waits for the next time there is something to do.
public final class TimerPump: Sendable {
    private let loop: ActionLoop<TimerSchedule>
    private let caller: UnaryCaller
    private let storage: String
    private let clock: any ServiceClock
    private let log: Logger
    private let pending = Mutex<(any PendingWake)?>(nil)
    private let whenStopped = Mutex<[@Sendable () -> Void]>([])
    private let fired = Mutex<(succeeded: Int, failed: Int)>((0, 0))

    /// A pump over the timers in the storage instance `storage`, with at most `bound` firings at once.
    public convenience init(
        calls: any CallStarting, storage: String, clock: any ServiceClock, bound: Int = 16, log: Logger
    ) {
        self.init(DispatchedCalls(calls: calls), storage: storage, clock: clock, bound: bound, log: log)
    }

    init(_ calls: any UnaryCalling, storage: String, clock: any ServiceClock, bound: Int, log: Logger) {
        loop = ActionLoop(TimerSchedule(bound: bound))
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        self.clock = clock
        self.log = log
    }

    /// Begins. The tables of ``HostSchema`` must be there.
    public func start() { look() }

    /// Looks at the timers now: after one was set, or after the clock was moved.
    public func look() { loop.post(.look, perform) }

    /// Fires no more; `then` is called once what is under way has ended.
    public func stop(_ then: @escaping @Sendable () -> Void) {
        whenStopped.withLock { $0.append(then) }
        pending.withLock { $0 }?.cancel()
        loop.post(.stop, perform)
    }

    /// Firings by outcome.
    public func metrics() -> [MetricFamily] {
        let fired = fired.withLock { $0 }
        return [
            MetricFamily(
                "theatre_timer_firings_total", .counter, "Timers fired, by outcome.",
                [
                    MetricSample(["outcome": "succeeded"], Double(fired.succeeded)),
                    MetricSample(["outcome": "failed"], Double(fired.failed)),
                ])
        ]
    }

    private func perform(_ action: TimerSchedule.Action) {
        switch action {
        case .read(let limit): read(limit)
        case .fire(let timer): fire(timer)
        case .delete(let timer): settle(timer, timer.delete())
        case .postpone(let timer, let time): settle(timer, timer.postpone(to: time))
        case .wake(let milliseconds): wake(after: milliseconds)
        case .stopped:
            let waiting = whenStopped.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for then in waiting { then() }
        }
    }

    private func read(_ limit: Int) {
        caller.call(storage, "theatre.sql.v1.Database/Query", Timer.next(limit), .system) {
            [self] (result: Result<SQLRows, CallError>) in
            switch result {
            case .success(let rows):
                loop.post(.found(rows.rows.compactMap { Timer($0) }, now: clock.wall), perform)
            case .failure(let error):
                log.warning("timers cannot be read", metadata: error.metadata)
                loop.post(.failed, perform)
            }
        }
    }

    private func fire(_ timer: Timer) {
        let request = HostFireRequest.with {
            $0.name = timer.key.name
            $0.at = timer.at
            $0.payload = timer.payload
            $0.attempt = UInt32(clamping: timer.attempt + 1)
        }
        let context = CallContext(
            HostContext.with {
                $0.principalKind = .system
                $0.tenant = timer.tenant
            })
        caller.call(
            timer.key.instance, "theatre.host.v1.Target/Fire", request, context, attempt: request.attempt
        ) { [self] (result: Result<HostFireResponse, CallError>) in
            var succeeded = true
            if case .failure(let error) = result {
                succeeded = false
                log.warning(
                    "a timer failed and fires again",
                    metadata: [
                        "instance": "\(timer.key.instance)", "timer": "\(timer.key.name)",
                        "attempt": "\(request.attempt)", "reason": "\(error.reason)", "message": "\(error.message)",
                    ])
            }
            fired.withLock { $0 = succeeded ? ($0.succeeded + 1, $0.failed) : ($0.succeeded, $0.failed + 1) }
            loop.post(.fired(timer, succeeded: succeeded, now: clock.wall), perform)
        }
    }

    private func settle(_ timer: Timer, _ request: SQLCommitRequest) {
        caller.call(storage, "theatre.sql.v1.Database/Commit", request, .system) {
            [self] (result: Result<SQLCommitResponse, CallError>) in
            if case .failure(let error) = result {
                log.warning(
                    "a timer's row cannot be changed; it fires again",
                    metadata: ["instance": "\(timer.key.instance)", "reason": "\(error.reason)"])
                return loop.post(.settled(timer.key, succeeded: false), perform)
            }
            loop.post(.settled(timer.key, succeeded: true), perform)
        }
    }

    private func wake(after milliseconds: Int64) {
        let next = clock.wake(after: milliseconds) { [weak self] in self?.look() }
        let before = pending.withLock { pending in
            defer { pending = next }
            return pending
        }
        before?.cancel()
    }
}
