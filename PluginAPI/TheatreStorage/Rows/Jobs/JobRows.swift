// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts

/// Jobs as rows.
public enum JobRows {
    static let columns = """
        job_id, owner, queue, kind, payload, state, run_at, priority, unique_key, attempts, max_attempts, timeout_ms,
        fencing_token, worker, lease_until, cancel_requested, reason, message, result, enqueued_at, ended_at, tenant,
        principal, traceparent, schedule
        """

    static func job(_ row: SQLRow) -> JobsJob {
        let values = row.values
        var job = JobsJob()
        job.jobID = values[0].text
        job.owner = values[1].text
        job.queue = values[2].text
        job.kind = values[3].text
        job.payload = values[4].blob
        job.state = JobsJobState(rawValue: Int(values[5].integer)) ?? .unspecified
        job.runAt = values[6].integer
        job.priority = Int32(clamping: values[7].integer)
        job.uniqueKey = values[8].text
        job.attempts = UInt32(clamping: values[9].integer)
        job.maxAttempts = UInt32(clamping: values[10].integer)
        job.timeoutMs = UInt32(clamping: values[11].integer)
        job.fencingToken = values[12].integer
        job.worker = values[13].text
        job.leaseUntil = values[14].integer
        job.cancelRequested = values[15].integer == 1
        job.reason = values[16].text
        job.message = values[17].text
        job.result = values[18].blob
        job.enqueuedAt = values[19].integer
        job.endedAt = values[20].integer
        job.tenant = values[21].text
        job.principal = values[22].text
        job.traceparent = values[23].text
        job.schedule = values[24].text
        return job
    }

    static let unknown = StorageError(.notFound, "jobs.unknown", "There is no such job among the caller's.")

    static func bad(_ message: String, at pointer: String = "") -> StorageError {
        StorageError(.invalidArgument, "jobs.bad_request", message, detail: pointer)
    }

    // MARK: Storing

    /// Stores jobs in queues of the caller of `context`; gives their ids in order.
    ///
    /// Of a unique key that is taken, the id of the job that has it. `newID` makes an id of a prefix for a time.
    /// INVALID_ARGUMENT `jobs.bad_request` with detail `/jobs/N/…`, PERMISSION_DENIED `jobs.unknown_queue`.
    public static func enqueue(
        _ jobs: [JobsNewJob], _ context: HostContext, at now: Int64, newID: (String, Int64) -> String
    ) throws(StorageError) -> HostPlan<[String]> {
        guard jobs.count <= 1000 else {
            throw bad("\(jobs.count) jobs are too many; 1000 are stored at once.", at: "/jobs")
        }
        var statements: [HostStatement] = []
        var ids: [String] = []
        var keyed: [Int: Int] = [:]
        for (index, job) in jobs.enumerated() {
            try check(job, context, at: "/jobs/\(index)")
            let id = newID("job", now)
            ids.append(id)
            statements.append(insertion(job, id, context, at: now))
            guard !job.uniqueKey.isEmpty else { continue }
            keyed[index] = statements.count
            statements.append(
                HostStatement(
                    """
                    SELECT job_id FROM host__jobs
                    WHERE owner = ?1 AND queue = ?2 AND tenant = ?3 AND unique_key = ?4 AND ready < 2
                    """,
                    [
                        SQLValue(context.caller), SQLValue(job.queue), SQLValue(context.tenant),
                        SQLValue(job.uniqueKey),
                    ]))
        }
        let (own, taken) = (ids, keyed)
        return HostPlan(statements) { (results: [SQLRows]) throws(StorageError) in
            var ids = own
            for (index, place) in taken {
                guard let id = results[place].rows.first?.values.first?.text else {
                    throw StorageError(
                        .aborted, "sql.serialization", "The job with this unique key has just ended; try again.",
                        retry: .safe)
                }
                ids[index] = id
            }
            return ids
        }
    }

    private static func insertion(
        _ job: JobsNewJob, _ id: String, _ context: HostContext, at now: Int64
    ) -> HostStatement {
        let runAt = max(job.runAt, now)
        return HostStatement(
            """
            INSERT INTO host__jobs (\(columns), ready, due_at)
            VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, 0, ?9, ?10, 0, '', 0, 0, '', '', ?11, ?12, 0, ?13, ?14, ?15, '',
                ?16, ?6)
            ON CONFLICT DO NOTHING
            """,
            [
                SQLValue(id), SQLValue(context.caller), SQLValue(job.queue), SQLValue(job.kind), SQLValue(job.payload),
                SQLValue(runAt), SQLValue(Int64(job.priority)), SQLValue(job.uniqueKey),
                SQLValue(Int64(job.maxAttempts)), SQLValue(Int64(job.timeoutMs)), SQLValue(Data()), SQLValue(now),
                SQLValue(context.tenant), SQLValue(context.principal), SQLValue(context.traceparent),
                SQLValue(Int64(runAt <= now ? 1 : 0)),
            ])
    }

    static func check(_ job: JobsNewJob, _ context: HostContext, at pointer: String) throws(StorageError) {
        let bounds: [(Bool, String, String)] = [
            (!job.queue.isEmpty && job.queue.utf8.count <= 64, "queue", "A queue has 1 to 64 characters."),
            (!job.kind.isEmpty && job.kind.utf8.count <= 200, "kind", "A kind has 1 to 200 characters."),
            (job.payload.count <= 262_144, "payload", "A payload has up to 256 KiB; store it and send its id."),
            ((-100...100).contains(job.priority), "priority", "A priority is -100 to 100."),
            (job.uniqueKey.utf8.count <= 200, "unique_key", "A unique key has up to 200 characters."),
            (job.runAt >= 0, "run_at", "A time is milliseconds since 1970."),
            (job.maxAttempts <= 1000, "max_attempts", "Up to 1000 attempts are made."),
        ]
        for (isWithin, field, message) in bounds where !isWithin { throw bad(message, at: "\(pointer)/\(field)") }
        guard context.caller != "host", !context.queues.split(separator: ",").contains(job.queue[...]) else { return }
        throw StorageError(
            .permissionDenied, "jobs.unknown_queue",
            "\(context.caller) has no queue \(job.queue); name it in `queues` of its manifest.",
            detail: "\(pointer)/queue")
    }

    // MARK: One job

    /// One of `owner`'s jobs; NOT_FOUND `jobs.unknown`.
    public static func get(_ id: String, of owner: String) -> HostPlan<JobsJob> {
        HostPlan([selection(id, of: owner)]) { (results: [SQLRows]) throws(StorageError) in
            guard let row = results[0].rows.first else { throw unknown }
            return job(row)
        }
    }

    private static func selection(_ id: String, of owner: String) -> HostStatement {
        HostStatement(
            "SELECT \(columns) FROM host__jobs WHERE job_id = ?1 AND owner = ?2", [SQLValue(id), SQLValue(owner)])
    }

    /// Cancels one of `owner`'s jobs: at once where it waits, by request where it runs.
    ///
    /// NOT_FOUND `jobs.unknown`, FAILED_PRECONDITION `jobs.ended`.
    public static func cancel(_ id: String, of owner: String, at now: Int64) -> HostPlan<JobsJob> {
        HostPlan([
            HostStatement(
                """
                UPDATE host__jobs SET cancel_requested = 1, \(cancelling)
                WHERE job_id = ?2 AND owner = ?3 AND state IN (1, 2)
                """, [SQLValue(now), SQLValue(id), SQLValue(owner)]),
            selection(id, of: owner),
        ]) { (results: [SQLRows]) throws(StorageError) in
            guard let row = results[1].rows.first else { throw unknown }
            let job = job(row)
            guard results[0].changed > 0 else {
                throw StorageError(.failedPrecondition, "jobs.ended", "The job has ended already.")
            }
            return job
        }
    }

    /// What cancelling sets, with ?1 as now: a job that waits has ended with it.
    static let cancelling = """
        ended_at = CASE WHEN state = 1 THEN ?1 ELSE ended_at END, ready = CASE WHEN state = 1 THEN 2 ELSE ready END,
        state = CASE WHEN state = 1 THEN 5 ELSE state END
        """
}
