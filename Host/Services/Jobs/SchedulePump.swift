// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOPosix
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts
internal import TheatreSchedules

/// Fires schedules: enqueues a job for each time that has come, as the catch-up policy says, and moves the schedule on.
///
/// Several hosts may do so at once: a schedule that another moved meanwhile stays as that one left it.
final class SchedulePump: Sendable {
    /// Runs what may block, such as reading a time zone, somewhere it may.
    typealias Offload = @Sendable (@escaping @Sendable () -> Void) -> Void

    /// On NIO's pool of threads.
    static let onThreadPool: Offload = { body in NIOThreadPool.singleton.submit { _ in body() } }

    /// When a schedule whose time zone is gone is looked at again, in milliseconds.
    private static let retry: Int64 = 3_600_000

    private let loop = ActionLoop(ScheduleRound())
    private let caller: UnaryCaller
    private let storage: String
    private let clock: any ServiceClock
    private let log: Logger
    private let offload: Offload
    private let state = Mutex(State())

    private struct State {
        var pending: (any PendingWake)?
        var fired = 0
        var jobs = 0
        var failed = 0
    }

    init(
        _ caller: UnaryCaller, _ storage: String, _ clock: any ServiceClock, _ log: Logger,
        _ offload: @escaping Offload
    ) {
        self.caller = caller
        self.storage = storage
        self.clock = clock
        self.log = log
        self.offload = offload
    }

    func start() { loop.post(.start, perform) }
    func look() { loop.post(.look, perform) }

    func pause() {
        state.withLock { $0.pending }?.cancel()
        loop.post(.pause, perform)
    }

    func metrics() -> MetricFamily {
        let (fired, failed) = state.withLock { ($0.fired, $0.failed) }
        return MetricFamily(
            "theatre_schedules_fired_total", .counter, "Schedules fired, by outcome.",
            [
                MetricSample(["outcome": "succeeded"], Double(fired)),
                MetricSample(["outcome": "failed"], Double(failed)),
            ])
    }

    private func perform(_ action: ScheduleRound.Action) {
        switch action {
        case .read: read()
        case .fire(let schedule): offload { [self] in fire(schedule) }
        case .wake(let milliseconds):
            let next = clock.wake(after: milliseconds) { [weak self] in self?.look() }
            let before = state.withLock { state in
                defer { state.pending = next }
                return state.pending
            }
            before?.cancel()
        }
    }

    private func read() {
        let now = clock.wall
        let request = JobsDueSchedulesRequest.with {
            $0.now = now
            $0.limit = UInt32(ScheduleRound.page)
        }
        caller.call(storage, "theatre.jobs.v1.Queue/DueSchedules", request, .system) {
            [self] (result: Result<JobsDueSchedulesResponse, CallError>) in
            switch result {
            case .success(let response):
                loop.post(.found(response.schedules, next: response.nextAt, now: now), perform)
            case .failure(let error):
                log.warning("schedules cannot be read", metadata: error.metadata)
                loop.post(.failed, perform)
            }
        }
    }

    private func fire(_ schedule: JobsSchedule) {
        var request = JobsFireScheduleRequest()
        request.owner = schedule.owner
        request.name = schedule.name
        request.revision = schedule.revision
        let now = clock.wall
        do throws(ScheduleError) {
            let times = try ScheduleTimes(cron: schedule.cron, timeZone: schedule.timeZone)
            // One that was just put begins with its next time; what lies before it was never promised.
            let after = schedule.nextAt > 0 ? schedule.nextAt - 1 : max(schedule.putAt, schedule.lastAt)
            let due = times.due(after: after, now: now, Self.catchUp(schedule.catchUp))
            request.times = due.times
            request.nextAt = due.next ?? -1
        } catch {
            log.error(
                "a schedule cannot be worked out; it is looked at again in an hour",
                metadata: ["instance": "\(schedule.owner)", "schedule": "\(schedule.name)", "error": "\(error)"])
            request.nextAt = now + Self.retry
        }
        send(request, ScheduleRound.Key(schedule))
    }

    private func send(_ request: JobsFireScheduleRequest, _ key: ScheduleRound.Key) {
        caller.call(storage, "theatre.jobs.v1.Queue/FireSchedule", request, .system) {
            [self] (result: Result<JobsFireScheduleResponse, CallError>) in
            switch result {
            case .success(let response):
                state.withLock { state in
                    if response.fired, !request.times.isEmpty { state.fired += 1 }
                    state.jobs += response.jobIds.count
                }
            case .failure(let error):
                state.withLock { $0.failed += 1 }
                var metadata = error.metadata
                metadata["instance"] = "\(key.owner)"
                metadata["schedule"] = "\(key.name)"
                log.warning("a schedule cannot be fired yet", metadata: metadata)
            }
            loop.post(.dealtWith(key), perform)
        }
    }

    private static func catchUp(_ policy: JobsCatchUp) -> ScheduleTimes.CatchUp {
        switch policy {
        case .all: .all
        case .one: .one
        default: .skip
        }
    }
}
