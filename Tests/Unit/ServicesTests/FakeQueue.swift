// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts

@testable import Services

/// Queues in memory, as the contract says, on a clock that is moved by hand.
final class FakeQueue: Sendable {
    /// A lease that waits.
    struct Waiting {
        var request: JobsLeaseRequest
        var isLive: @Sendable () -> Bool
        var then: FakeCalls.Then
    }

    struct State {
        var jobs: [String: JobsJob] = [:]
        var order: [String] = []
        var schedules: [String: JobsSchedule] = [:]
        var waiting: [Waiting] = []
        var calls: [String: Int] = [:]
        var failing: [String: Int] = [:]
        var token: Int64 = 0
        /// Finishes whose token was no longer the job's.
        var refused = 0
    }

    let state = Mutex(State())
    private let clock: ManualClock

    init(_ calls: FakeCalls, _ clock: ManualClock) {
        self.clock = clock
        calls.handleLive("sqlite", "theatre.jobs.v1.Queue/Lease") { [self] call, isLive, then in
            if fails("Lease") { return then(.failure(CallError(.unavailable, "sql.busy", "Busy."))) }
            guard let request = try? JobsLeaseRequest(serializedBytes: call.payload) else { return }
            state.withLock { $0.waiting.append(Waiting(request: request, isLive: isLive, then: then)) }
            serve()
        }
        answer(calls, "Heartbeat", heartbeat)
        answer(calls, "Finish", finish)
        answer(calls, "List", list)
        answer(calls, "DueSchedules") { [self] (request: JobsDueSchedulesRequest) -> JobsDueSchedulesResponse in
            state.withLock { state in
                .with { response in
                    response.schedules = state.schedules.values.filter { 0...request.now ~= $0.nextAt }
                    response.nextAt = state.schedules.values.map(\.nextAt).filter { $0 > request.now }.min() ?? 0
                }
            }
        }
        answer(calls, "FireSchedule", fire)
    }

    private func answer<Request: Message, Response: Message>(
        _ calls: FakeCalls, _ name: String, _ body: @escaping @Sendable (Request) -> Response
    ) {
        calls.serve("sqlite", "theatre.jobs.v1.Queue/\(name)") { [self] (request: Request, _) -> Response? in
            if fails(name) { throw CallError(.unavailable, "sql.busy", "Busy.") }
            return body(request)
        }
    }

    private func fails(_ name: String) -> Bool {
        state.withLock { state in
            state.calls[name, default: 0] += 1
            guard let left = state.failing[name], left > 0 else { return false }
            state.failing[name] = left - 1
            return true
        }
    }

    // MARK: What a test does

    func fail(_ name: String, _ count: Int) { state.withLock { $0.failing[name] = count } }
    /// Leases that wait are of hosts that are no more.
    func forgetLeases() { state.withLock { $0.waiting = [] } }
    func calls(_ name: String) -> Int { state.withLock { $0.calls[name] ?? 0 } }
    func job(_ id: String) -> JobsJob? { state.withLock { $0.jobs[id] } }
    var states: [JobsJobState] { state.withLock { state in state.order.compactMap { state.jobs[$0]?.state } } }
    func edit(_ id: String, _ body: (inout JobsJob) -> Void) {
        state.withLock { state in
            guard var job = state.jobs[id] else { return }
            body(&job)
            state.jobs[id] = job
        }
    }

    @discardableResult
    func enqueue(_ queue: String = "render", owner: String = "press", _ fill: (inout JobsJob) -> Void = { _ in })
        -> String
    {
        let id = state.withLock { state in
            var job = JobsJob()
            job.jobID = "job_\(state.order.count + 1)"
            job.owner = owner
            job.queue = queue
            job.state = .waiting
            job.tenant = "acme"
            fill(&job)
            state.jobs[job.jobID] = job
            state.order.append(job.jobID)
            return job.jobID
        }
        serve()
        return id
    }

    func put(_ name: String, _ cron: String, _ catchUp: JobsCatchUp = .skip) {
        let now = clock.wall
        state.withLock { state in
            state.schedules[name] = .with {
                $0.owner = "press"
                $0.name = name
                $0.cron = cron
                $0.catchUp = catchUp
                $0.putAt = now
                $0.revision = 1
                $0.job.queue = "render"
            }
        }
    }

    /// Answers leases that wait for jobs that are due by now.
    func serve() {
        let now = clock.wall
        let ready = state.withLock { state -> [(FakeCalls.Then, JobsLeaseResponse)] in
            var ready: [(FakeCalls.Then, JobsLeaseResponse)] = []
            var left: [Waiting] = []
            for entry in state.waiting where entry.isLive() {
                let jobs = entry.request.queues.flatMap { Self.take(&state, $0, entry.request, now) }
                if jobs.isEmpty { left.append(entry) } else { ready.append((entry.then, .with { $0.jobs = jobs })) }
            }
            state.waiting = left
            return ready
        }
        for (then, response) in ready { then(Result { try response.serializedBytes() }.mapError(Self.failure)) }
    }

    // MARK: Inside

    private static func take(
        _ state: inout State, _ queue: JobsLeaseQueue, _ request: JobsLeaseRequest, _ now: Int64
    ) -> [JobsJob] {
        let own = state.order.filter { state.jobs[$0]?.owner == queue.owner && state.jobs[$0]?.queue == queue.queue }
        let running = own.count { id in
            state.jobs[id].map { $0.state == .running && $0.leaseUntil > now } ?? false
        }
        let room = queue.concurrency == 0 ? Int.max : max(0, Int(queue.concurrency) - running)
        let due = own.filter { id in
            guard let job = state.jobs[id] else { return false }
            return job.state == .waiting && job.runAt <= now || job.state == .running && job.leaseUntil <= now
        }
        return due.prefix(min(room, Int(queue.limit))).compactMap { id in
            state.token += 1
            state.jobs[id]?.state = .running
            state.jobs[id]?.attempts += 1
            state.jobs[id]?.fencingToken = state.token
            state.jobs[id]?.worker = request.worker
            state.jobs[id]?.leaseUntil = now + Int64(request.leaseMs)
            return state.jobs[id]
        }
    }

    private func heartbeat(_ request: JobsHeartbeatRequest) -> JobsHeartbeatResponse {
        let now = clock.wall
        return state.withLock { state in
            .with { response in
                for token in request.jobs {
                    guard let job = state.jobs[token.jobID], job.state == .running,
                        job.fencingToken == token.fencingToken, job.leaseUntil > now
                    else {
                        response.lost.append(token.jobID)
                        continue
                    }
                    state.jobs[token.jobID]?.leaseUntil = now + Int64(request.leaseMs)
                    if job.cancelRequested { response.cancelled.append(token.jobID) }
                }
            }
        }
    }

    private func finish(_ request: JobsFinishRequest) -> JobsFinishResponse {
        defer { serve() }
        return state.withLock { state in
            .with { response in
                for outcome in request.outcomes {
                    guard let job = state.jobs[outcome.jobID], job.state == .running,
                        job.fencingToken == outcome.fencingToken
                    else {
                        state.refused += 1
                        response.lost.append(outcome.jobID)
                        continue
                    }
                    state.jobs[outcome.jobID]?.state = outcome.state
                    state.jobs[outcome.jobID]?.runAt = outcome.runAt
                    state.jobs[outcome.jobID]?.reason = outcome.reason
                    state.jobs[outcome.jobID]?.result = outcome.result
                    if outcome.forgive { state.jobs[outcome.jobID]?.attempts -= 1 }
                }
            }
        }
    }

    private func list(_ request: JobsListRequest) -> JobsListResponse {
        state.withLock { state in
            .with {
                $0.jobs = state.order.compactMap { state.jobs[$0] }.filter {
                    $0.owner == request.owner && $0.queue == request.queue && $0.state == request.state
                }
            }
        }
    }

    private func fire(_ request: JobsFireScheduleRequest) -> JobsFireScheduleResponse {
        let isCurrent = state.withLock { state in
            guard state.schedules[request.name]?.revision == request.revision else { return false }
            state.schedules[request.name]?.revision += 1
            state.schedules[request.name]?.nextAt = request.nextAt
            return true
        }
        guard isCurrent else { return JobsFireScheduleResponse() }
        let ids = request.times.map { time in
            enqueue {
                $0.runAt = time
                $0.schedule = request.name
            }
        }
        return .with {
            $0.fired = true
            $0.jobIds = ids
        }
    }

    private static func failure(_ error: any Error) -> CallError { CallError(.internal, "test", "\(error)") }
}
