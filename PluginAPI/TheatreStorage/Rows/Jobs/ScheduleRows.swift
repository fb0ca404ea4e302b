// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts
import TheatreSchedules

/// Schedules as rows.
public enum ScheduleRows {
    static let columns = """
        owner, name, cron, time_zone, catch_up, queue, kind, payload, priority, max_attempts, timeout_ms, next_at, last_at,
        tenant, revision, put_at
        """

    static func schedule(_ row: SQLRow) -> JobsSchedule {
        let values = row.values
        var schedule = JobsSchedule()
        schedule.owner = values[0].text
        schedule.name = values[1].text
        schedule.cron = values[2].text
        schedule.timeZone = values[3].text
        schedule.catchUp = JobsCatchUp(rawValue: Int(values[4].integer)) ?? .unspecified
        schedule.job.queue = values[5].text
        schedule.job.kind = values[6].text
        schedule.job.payload = values[7].blob
        schedule.job.priority = Int32(clamping: values[8].integer)
        schedule.job.maxAttempts = UInt32(clamping: values[9].integer)
        schedule.job.timeoutMs = UInt32(clamping: values[10].integer)
        schedule.nextAt = values[11].integer
        schedule.lastAt = values[12].integer
        schedule.tenant = values[13].text
        schedule.revision = values[14].integer
        schedule.putAt = values[15].integer
        return schedule
    }

    /// Makes or replaces a schedule of the caller of `context`.
    ///
    /// Put again with the same times, as at every start of a plugin, it stands where it stood and misses nothing.
    /// INVALID_ARGUMENT `jobs.bad_schedule`, and what ``JobRows/enqueue(_:_:at:newID:)`` throws of its job.
    public static func put(
        _ request: JobsPutScheduleRequest, _ context: HostContext, at now: Int64
    ) throws(StorageError) -> HostPlan<JobsSchedule> {
        guard !request.name.isEmpty, request.name.utf8.count <= 100 else {
            throw StorageError(
                .invalidArgument, ScheduleError.reason, "A schedule's name has 1 to 100 characters.", detail: "/name")
        }
        do {
            _ = try ScheduleTimes(cron: request.cron, timeZone: request.timeZone)
        } catch {
            throw StorageError(.invalidArgument, ScheduleError.reason, error.message, detail: error.pointer)
        }
        try JobRows.check(request.job, context, at: "/job")
        return HostPlan([putting(request, context, at: now)]) { (results: [SQLRows]) throws(StorageError) in
            guard let row = results[0].rows.first else {
                throw StorageError(.internal, "sql.engine", "A schedule was put and is not there.")
            }
            return schedule(row)
        }
    }

    private static func putting(
        _ request: JobsPutScheduleRequest, _ context: HostContext, at now: Int64
    ) -> HostStatement {
        let same = "host__schedules.cron = excluded.cron AND host__schedules.time_zone = excluded.time_zone"
        return HostStatement(
            """
            INSERT INTO host__schedules (\(columns), principal, firing)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0, ?12, 1, ?13, ?14, '')
            ON CONFLICT (owner, name) DO UPDATE SET
                next_at = CASE WHEN \(same) THEN host__schedules.next_at ELSE 0 END,
                put_at = CASE WHEN \(same) THEN host__schedules.put_at ELSE excluded.put_at END,
                last_at = CASE WHEN \(same) THEN host__schedules.last_at ELSE 0 END,
                cron = excluded.cron, time_zone = excluded.time_zone, catch_up = excluded.catch_up,
                queue = excluded.queue, kind = excluded.kind, payload = excluded.payload,
                priority = excluded.priority, max_attempts = excluded.max_attempts,
                timeout_ms = excluded.timeout_ms, tenant = excluded.tenant, principal = excluded.principal,
                revision = host__schedules.revision + 1
            RETURNING \(columns)
            """,
            [
                SQLValue(context.caller), SQLValue(request.name), SQLValue(request.cron), SQLValue(request.timeZone),
                SQLValue(Int64(request.catchUp.rawValue)), SQLValue(request.job.queue), SQLValue(request.job.kind),
                SQLValue(request.job.payload), SQLValue(Int64(request.job.priority)),
                SQLValue(Int64(request.job.maxAttempts)), SQLValue(Int64(request.job.timeoutMs)),
                SQLValue(context.tenant), SQLValue(now), SQLValue(context.principal),
            ])
    }

    /// Removes a schedule of `owner`, if there is one.
    public static func delete(_ request: JobsDeleteScheduleRequest, of owner: String) -> HostPlan<Void> {
        HostPlan([
            HostStatement(
                "DELETE FROM host__schedules WHERE owner = ?1 AND name = ?2", [SQLValue(owner), SQLValue(request.name)])
        ])
    }

    /// Schedules whose time has come or is not worked out, and when the next one's comes.
    public static func due(_ request: JobsDueSchedulesRequest) throws(StorageError) -> HostPlan<
        JobsDueSchedulesResponse
    > {
        guard request.limit <= 1000 else { throw JobRows.bad("Up to 1000 schedules are given.", at: "/limit") }
        return HostPlan([
            HostStatement(
                "SELECT \(columns) FROM host__schedules WHERE next_at >= 0 AND next_at <= ?1 ORDER BY next_at LIMIT ?2",
                [SQLValue(request.now), SQLValue(request.limit == 0 ? 100 : Int64(request.limit))]),
            HostStatement("SELECT MIN(next_at) FROM host__schedules WHERE next_at > ?1", [SQLValue(request.now)]),
        ]) { (results: [SQLRows]) throws(StorageError) in
            .with {
                $0.schedules = results[0].rows.map { schedule($0) }
                if case .integer(let next)? = results[1].rows.first?.values.first?.kind { $0.nextAt = next }
            }
        }
    }

    private static func emptyBytes(_ dialect: Dialect) -> String { dialect == .sqlite ? "x''" : "CAST('' AS BYTEA)" }

    /// Moves a schedule on and stores a job for each time, if it still stands where it was read.
    ///
    /// A job of the same time that has not ended is not stored again.
    public static func fire(
        _ request: JobsFireScheduleRequest, at now: Int64, newID: (String, Int64) -> String, _ dialect: Dialect
    ) throws(StorageError) -> HostPlan<JobsFireScheduleResponse> {
        guard request.times.count <= 100 else { throw JobRows.bad("Up to 100 times are fired at once.", at: "/times") }
        // Only this call's mark stands in the row where this call moved it.
        let mark = newID("fire", now)
        let name = [SQLValue(request.owner), SQLValue(request.name)]
        var statements = [
            HostStatement(
                """
                UPDATE host__schedules SET next_at = ?3, last_at = CASE WHEN ?4 > last_at THEN ?4 ELSE last_at END,
                    revision = revision + 1, firing = ?5
                WHERE owner = ?1 AND name = ?2 AND revision = ?6
                """,
                name + [
                    SQLValue(request.nextAt), SQLValue(request.times.max() ?? 0), SQLValue(mark),
                    SQLValue(request.revision),
                ])
        ]
        for time in request.times {
            statements.append(
                HostStatement(
                    """
                    INSERT INTO host__jobs (\(JobRows.columns), ready, due_at)
                    SELECT CAST(?3 AS TEXT), owner, queue, kind, payload, 1, CAST(?4 AS BIGINT), priority,
                        CAST(?5 AS TEXT), 0, max_attempts, timeout_ms, 0, '', 0, 0, '', '', \(emptyBytes(dialect)),
                        CAST(?6 AS BIGINT), 0, tenant, principal, '', name, CAST(?7 AS BIGINT), CAST(?4 AS BIGINT)
                    FROM host__schedules WHERE owner = ?1 AND name = ?2 AND firing = ?8
                    ON CONFLICT DO NOTHING
                    RETURNING job_id
                    """,
                    name + [
                        SQLValue(newID("job", now)), SQLValue(time), SQLValue("schedule/\(request.name)/\(time)"),
                        SQLValue(now), SQLValue(Int64(time <= now ? 1 : 0)), SQLValue(mark),
                    ]))
        }
        return HostPlan(statements) { (results: [SQLRows]) throws(StorageError) in
            .with {
                $0.fired = results[0].changed == 1
                $0.jobIds = results.dropFirst().compactMap { $0.rows.first?.values.first?.text }
            }
        }
    }
}
