// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// Jobs and schedules.
extension Engine {
    func enqueue(_ request: JobsEnqueueRequest, for scope: CallerScope) async throws(StorageError)
        -> JobsEnqueueResponse
    {
        let plan = try JobRows.enqueue(request.jobs, scope.context, at: environment.now(), newID: environment.newID)
        let ids = try await write(plan)
        tail.committedJobs()
        return .with { $0.jobIds = ids }
    }

    func getJob(_ request: JobsGetRequest, for scope: CallerScope) async throws(StorageError) -> JobsJob {
        try await look(JobRows.get(request.jobID, of: scope.caller))
    }

    func cancelJob(_ request: JobsCancelRequest, for scope: CallerScope) async throws(StorageError) -> JobsJob {
        try await write(JobRows.cancel(request.jobID, of: scope.caller, at: environment.now()))
    }

    func putSchedule(_ request: JobsPutScheduleRequest, for scope: CallerScope) async throws(StorageError)
        -> JobsSchedule
    {
        try await write(ScheduleRows.put(request, scope.context, at: environment.now()))
    }

    func deleteSchedule(_ request: JobsDeleteScheduleRequest, for scope: CallerScope) async throws(StorageError) {
        try await write(ScheduleRows.delete(request, of: scope.caller))
    }

    /// Takes jobs that are due; waits for a first one as long as asked, holding no thread meanwhile.
    func lease(_ request: JobsLeaseRequest, for scope: CallerScope) async throws(StorageError) -> JobsLeaseResponse {
        let end = monotonicMilliseconds() + UInt64(request.waitMs)
        while true {
            let seen = tail.jobs.head
            let now = environment.now()
            let response = try await leaseNow(request, at: now)
            let time = monotonicMilliseconds()
            guard response.jobs.isEmpty, time < end, !Task.isCancelled, scope.isWanted() else { return response }
            // A moved clock, and leases that ran out, are noticed by looking again.
            var wait = min(end - time, UInt64(options.pollMilliseconds ?? 1000))
            if response.nextDue > now { wait = min(wait, UInt64(response.nextDue - now)) }
            await tail.jobs.wait(beyond: seen, for: .milliseconds(Int64(wait)))
        }
    }

    /// Takes what is due; where nothing is, nothing is written.
    private func leaseNow(_ request: JobsLeaseRequest, at now: Int64) async throws(StorageError) -> JobsLeaseResponse {
        let plan = try JobRows.lease(request, at: now, .postgresql)
        let standing = try await look(JobRows.standing(request, at: now, .postgresql))
        guard standing.isDue else { return .with { $0.nextDue = standing.nextDue } }
        let asked = monotonicMilliseconds()
        var response = try await write(plan)
        // The server decides when a lease ends; the host is told by its own clock, and rather too early.
        let left = Int64(request.leaseMs) - Int64(monotonicMilliseconds() - asked)
        let end = environment.now() + left
        for index in response.jobs.indices { response.jobs[index].leaseUntil = end }
        return response
    }

    func heartbeat(_ request: JobsHeartbeatRequest) async throws(StorageError) -> JobsHeartbeatResponse {
        try await write(JobRows.heartbeat(request, at: environment.now(), .postgresql))
    }

    func finish(_ request: JobsFinishRequest) async throws(StorageError) -> JobsFinishResponse {
        let response = try await write(JobRows.finish(request, at: environment.now()))
        // A bounded queue has room, and what goes back may be due.
        tail.committedJobs()
        return response
    }

    func listJobs(_ request: JobsListRequest) async throws(StorageError) -> JobsListResponse {
        try await look(JobRows.list(request))
    }

    func jobStats() async throws(StorageError) -> JobsStatsResponse {
        try await look(JobRows.stats(at: environment.now(), .postgresql))
    }

    func control(_ request: JobsControlRequest) async throws(StorageError) -> JobsControlResponse {
        let response = try await write(JobRows.control(request, at: environment.now(), .postgresql))
        tail.committedJobs()
        return response
    }

    func dueSchedules(_ request: JobsDueSchedulesRequest) async throws(StorageError) -> JobsDueSchedulesResponse {
        try await look(ScheduleRows.due(request))
    }

    func fireSchedule(_ request: JobsFireScheduleRequest) async throws(StorageError) -> JobsFireScheduleResponse {
        let plan = try ScheduleRows.fire(request, at: environment.now(), newID: environment.newID, .postgresql)
        let response = try await write(plan)
        tail.committedJobs()
        return response
    }
}

/// Leases. A row's lock is what decides between two that ask at once; times are by the server's clock.
extension Engine {
    func acquire(_ request: LeaseAcquireRequest, for scope: CallerScope) async throws(StorageError) -> LeaseLease {
        try await write(LeaseRows.acquire(request, of: scope.caller, at: environment.now(), .postgresql))
    }

    func renew(_ request: LeaseRenewRequest, for scope: CallerScope) async throws(StorageError) -> LeaseLease {
        try await write(LeaseRows.renew(request, of: scope.caller, at: environment.now(), .postgresql))
    }

    func release(_ request: LeaseReleaseRequest, for scope: CallerScope) async throws(StorageError) {
        try await write(LeaseRows.release(request, of: scope.caller))
    }

    func getLease(_ request: LeaseGetRequest, for scope: CallerScope) async throws(StorageError) -> LeaseLease {
        try await look(LeaseRows.get(request, of: scope.caller, at: environment.now(), .postgresql))
    }
}
