// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// theatre.jobs.v1.Queue.
extension PostgreSQL: JobsQueueContract {
    func enqueue(_ request: JobsEnqueueRequest, _ call: Call) async throws -> JobsEnqueueResponse {
        try await serving(call) { engine, scope in try await engine.enqueue(request, for: scope) }
    }

    func get(_ request: JobsGetRequest, _ call: Call) async throws -> JobsJob {
        try await serving(call) { engine, scope in try await engine.getJob(request, for: scope) }
    }

    func cancel(_ request: JobsCancelRequest, _ call: Call) async throws -> JobsJob {
        try await serving(call) { engine, scope in try await engine.cancelJob(request, for: scope) }
    }

    func putSchedule(_ request: JobsPutScheduleRequest, _ call: Call) async throws -> JobsSchedule {
        try await serving(call) { engine, scope in try await engine.putSchedule(request, for: scope) }
    }

    func deleteSchedule(_ request: JobsDeleteScheduleRequest, _ call: Call) async throws -> JobsDeleteScheduleResponse {
        try await serving(call) { engine, scope in try await engine.deleteSchedule(request, for: scope) }
        return JobsDeleteScheduleResponse()
    }

    func lease(_ request: JobsLeaseRequest, _ call: Call) async throws -> JobsLeaseResponse {
        try await serving(call) { engine, scope in try await engine.lease(request, for: scope) }
    }

    func heartbeat(_ request: JobsHeartbeatRequest, _ call: Call) async throws -> JobsHeartbeatResponse {
        try await serving(call) { engine, _ in try await engine.heartbeat(request) }
    }

    func finish(_ request: JobsFinishRequest, _ call: Call) async throws -> JobsFinishResponse {
        try await serving(call) { engine, _ in try await engine.finish(request) }
    }

    func list(_ request: JobsListRequest, _ call: Call) async throws -> JobsListResponse {
        try await serving(call) { engine, _ in try await engine.listJobs(request) }
    }

    func stats(_ request: JobsStatsRequest, _ call: Call) async throws -> JobsStatsResponse {
        try await serving(call) { engine, _ in try await engine.jobStats() }
    }

    func control(_ request: JobsControlRequest, _ call: Call) async throws -> JobsControlResponse {
        try await serving(call) { engine, _ in try await engine.control(request) }
    }

    func dueSchedules(_ request: JobsDueSchedulesRequest, _ call: Call) async throws -> JobsDueSchedulesResponse {
        try await serving(call) { engine, _ in try await engine.dueSchedules(request) }
    }

    func fireSchedule(_ request: JobsFireScheduleRequest, _ call: Call) async throws -> JobsFireScheduleResponse {
        try await serving(call) { engine, _ in try await engine.fireSchedule(request) }
    }
}

/// theatre.lease.v1.Leases.
extension PostgreSQL: LeaseLeasesContract {
    func acquire(_ request: LeaseAcquireRequest, _ call: Call) async throws -> LeaseLease {
        try await serving(call) { engine, scope in try await engine.acquire(request, for: scope) }
    }

    func renew(_ request: LeaseRenewRequest, _ call: Call) async throws -> LeaseLease {
        try await serving(call) { engine, scope in try await engine.renew(request, for: scope) }
    }

    func release(_ request: LeaseReleaseRequest, _ call: Call) async throws -> LeaseReleaseResponse {
        try await serving(call) { engine, scope in try await engine.release(request, for: scope) }
        return LeaseReleaseResponse()
    }

    func get(_ request: LeaseGetRequest, _ call: Call) async throws -> LeaseLease {
        try await serving(call) { engine, scope in try await engine.getLease(request, for: scope) }
    }
}
