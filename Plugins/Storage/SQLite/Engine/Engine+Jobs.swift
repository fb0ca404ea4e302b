// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// Jobs, schedules and leases.
extension Engine {
    func enqueue(_ request: JobsEnqueueRequest, for scope: CallerScope) async throws -> JobsEnqueueResponse {
        let plan = try JobRows.enqueue(request.jobs, scope.context, at: environment.now(), newID: environment.newID)
        let ids = try await write(plan, for: scope)
        jobsChanged()
        return .with { $0.jobIds = ids }
    }

    func getJob(_ request: JobsGetRequest, for scope: CallerScope) async throws -> JobsJob {
        try await look(JobRows.get(request.jobID, of: scope.caller), for: scope)
    }

    func cancelJob(_ request: JobsCancelRequest, for scope: CallerScope) async throws -> JobsJob {
        try await write(
            JobRows.cancel(request.jobID, of: scope.caller, at: environment.now()), for: scope)
    }

    func putSchedule(_ request: JobsPutScheduleRequest, for scope: CallerScope) async throws -> JobsSchedule {
        try await write(ScheduleRows.put(request, scope.context, at: environment.now()), for: scope)
    }

    func deleteSchedule(_ request: JobsDeleteScheduleRequest, for scope: CallerScope) async throws {
        try await write(ScheduleRows.delete(request, of: scope.caller), for: scope)
    }

    /// Takes jobs that are due; waits for a first one as long as asked, holding no thread meanwhile.
    func lease(_ request: JobsLeaseRequest, for scope: CallerScope) async throws -> JobsLeaseResponse {
        let end = monotonicNanoseconds() + UInt64(request.waitMs) * 1_000_000
        while true {
            let seen = jobsHead.head
            let now = environment.now()
            let response = try await leaseNow(request, at: now, for: scope)
            let time = monotonicNanoseconds()
            guard response.jobs.isEmpty, time < end, !Task.isCancelled, scope.isWanted() else { return response }
            // Other processes and a moved clock are noticed by looking again.
            var wait = min(end - time, options.pollNanoseconds)
            if response.nextDue > now { wait = min(wait, UInt64(response.nextDue - now) * 1_000_000) }
            await jobsHead.wait(beyond: seen, for: .nanoseconds(Int64(wait)))
        }
    }

    /// Takes what is due; where nothing is, the writer is left alone.
    private func leaseNow(_ request: JobsLeaseRequest, at now: Int64, for scope: CallerScope) async throws
        -> JobsLeaseResponse
    {
        let plan = try JobRows.lease(request, at: now, .sqlite)
        let standing = try await look(JobRows.standing(request, at: now, .sqlite), for: scope)
        guard standing.isDue else { return .with { $0.nextDue = standing.nextDue } }
        return try await write(plan, for: scope)
    }

    func heartbeat(_ request: JobsHeartbeatRequest, for scope: CallerScope) async throws -> JobsHeartbeatResponse {
        try await write(JobRows.heartbeat(request, at: environment.now(), .sqlite), for: scope)
    }

    func finish(_ request: JobsFinishRequest, for scope: CallerScope) async throws -> JobsFinishResponse {
        let response = try await write(JobRows.finish(request, at: environment.now()), for: scope)
        // A bounded queue has room, and what goes back may be due.
        jobsChanged()
        return response
    }

    func listJobs(_ request: JobsListRequest, for scope: CallerScope) async throws -> JobsListResponse {
        try await look(JobRows.list(request), for: scope)
    }

    func jobStats(for scope: CallerScope) async throws -> JobsStatsResponse {
        try await look(JobRows.stats(at: environment.now(), .sqlite), for: scope)
    }

    func control(_ request: JobsControlRequest, for scope: CallerScope) async throws -> JobsControlResponse {
        let response = try await write(JobRows.control(request, at: environment.now(), .sqlite), for: scope)
        jobsChanged()
        return response
    }

    func dueSchedules(_ request: JobsDueSchedulesRequest, for scope: CallerScope) async throws
        -> JobsDueSchedulesResponse
    {
        try await look(ScheduleRows.due(request), for: scope)
    }

    func fireSchedule(_ request: JobsFireScheduleRequest, for scope: CallerScope) async throws
        -> JobsFireScheduleResponse
    {
        let plan = try ScheduleRows.fire(request, at: environment.now(), newID: environment.newID, .sqlite)
        let response = try await write(plan, for: scope)
        jobsChanged()
        return response
    }

    // MARK: Leases

    func acquire(_ request: LeaseAcquireRequest, for scope: CallerScope) async throws -> LeaseLease {
        try await write(
            LeaseRows.acquire(request, of: scope.caller, at: environment.now(), .sqlite), for: scope)
    }

    func renew(_ request: LeaseRenewRequest, for scope: CallerScope) async throws -> LeaseLease {
        try await write(LeaseRows.renew(request, of: scope.caller, at: environment.now(), .sqlite), for: scope)
    }

    func release(_ request: LeaseReleaseRequest, for scope: CallerScope) async throws {
        try await write(LeaseRows.release(request, of: scope.caller), for: scope)
    }

    func getLease(_ request: LeaseGetRequest, for scope: CallerScope) async throws -> LeaseLease {
        try await look(LeaseRows.get(request, of: scope.caller, at: environment.now(), .sqlite), for: scope)
    }
}
