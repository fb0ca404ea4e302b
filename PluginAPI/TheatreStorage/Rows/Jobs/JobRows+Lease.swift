// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts

/// Running jobs.
extension JobRows {
    /// Takes jobs that are due, highest priority first, then oldest.
    ///
    /// A job's time is by the clock of the host that asks, `now`; leases are by the database's own clock where it has one,
    /// so hosts whose clocks disagree never have a job at the same time. Statements of one queue follow each other: what is
    /// due becomes ready, ready ones are taken, and when the next is due. On PostgreSQL a queue with a bound over all hosts
    /// is locked before it is counted, which needs a snapshot for each statement: READ COMMITTED.
    public static func lease(
        _ request: JobsLeaseRequest, at now: Int64, _ dialect: Dialect
    ) throws(StorageError) -> HostPlan<JobsLeaseResponse> {
        guard !request.worker.isEmpty, request.worker.utf8.count <= 200, (1000...600_000).contains(request.leaseMs),
            request.waitMs <= 30_000, request.queues.count <= 100
        else {
            throw bad("A worker, a lease of 1000 to 600000 ms, a wait up to 30000 ms and up to 100 queues are needed.")
        }
        var statements: [HostStatement] = []
        var taken: [Int] = []
        var next: [Int] = []
        for queue in request.queues {
            let name = [SQLValue(queue.owner), SQLValue(queue.queue)]
            if queue.concurrency > 0, dialect == .postgresql {
                statements.append(
                    HostStatement(
                        "SELECT pg_advisory_xact_lock(hashtextextended(CAST(?1 AS TEXT) || '/' || CAST(?2 AS TEXT), 7))",
                        name))
            }
            statements.append(promotion(name, at: now, dialect))
            taken.append(statements.count)
            statements.append(taking(queue, request, at: now, dialect))
            next.append(statements.count)
            statements.append(nextDue(name, at: now, dialect))
        }
        let (takenPlaces, nextPlaces) = (taken, next)
        return HostPlan(statements) { (results: [SQLRows]) throws(StorageError) in
            var response = JobsLeaseResponse()
            for place in takenPlaces {
                response.jobs += results[place].rows.map { job($0) }.sorted {
                    ($1.priority, $0.runAt, $0.jobID) < ($0.priority, $1.runAt, $1.jobID)
                }
            }
            let due = nextPlaces.compactMap { place -> Int64? in
                guard case .integer(let time)? = results[place].rows.first?.values.first?.kind else { return nil }
                return time
            }
            response.nextDue = due.min() ?? 0
            return response
        }
    }

    /// Those whose time has come or whose lease has run out can be taken.
    private static func promotion(_ queue: [SQLValue], at now: Int64, _ dialect: Dialect) -> HostStatement {
        let isDue =
            switch dialect {
            case .sqlite: "due_at <= ?3"
            // The first is for the index.
            case .postgresql:
                """
                due_at <= GREATEST(?3, \(dialect.clock("?3")))
                AND due_at <= CASE WHEN state = 2 THEN \(dialect.clock("?3")) ELSE ?3 END
                """
            }
        return HostStatement(
            """
            UPDATE host__jobs SET ready = 1 WHERE job_id IN (
                SELECT job_id FROM host__jobs WHERE owner = ?1 AND queue = ?2 AND ready = 0 AND \(isDue)
                ORDER BY due_at LIMIT 1000\(dialect.skipLocked))
            """, queue + [SQLValue(now)])
    }

    /// When the first time comes or the first lease runs out, by the clock of the host that asks.
    private static func nextDue(_ queue: [SQLValue], at now: Int64, _ dialect: Dialect) -> HostStatement {
        let of = "FROM host__jobs WHERE owner = ?1 AND queue = ?2 AND ready = 0"
        guard dialect == .postgresql else { return HostStatement("SELECT MIN(due_at) \(of)", queue) }
        // The second is found among what runs, which is little, and not by passing over all that waits: hence the sum.
        return HostStatement(
            """
            SELECT LEAST((SELECT MIN(due_at) \(of) AND state = 1),
                (SELECT MIN(due_at + 0) \(of) AND state = 2) - \(dialect.clock("?3")) + ?3)
            """, queue + [SQLValue(now)])
    }

    private static func taking(
        _ queue: JobsLeaseQueue, _ request: JobsLeaseRequest, at now: Int64, _ dialect: Dialect
    ) -> HostStatement {
        let clock = dialect.clock("?6")
        let free = """
            (SELECT CASE WHEN CAST(?7 AS BIGINT) = 0 OR CAST(?7 AS BIGINT) - COUNT(*) > CAST(?5 AS BIGINT)
                    THEN CAST(?5 AS BIGINT)
                WHEN COUNT(*) >= CAST(?7 AS BIGINT) THEN 0 ELSE CAST(?7 AS BIGINT) - COUNT(*) END
            FROM host__jobs WHERE owner = ?1 AND queue = ?2 AND state = 2 AND due_at > \(clock))
            """
        // A bound over all hosts is rare, and without it nothing is counted.
        let limit = queue.concurrency == 0 ? "?5" : free
        var values = [
            SQLValue(queue.owner), SQLValue(queue.queue), SQLValue(request.worker),
            SQLValue(Int64(request.leaseMs)), SQLValue(Int64(min(queue.limit, 1000))), SQLValue(now),
        ]
        if queue.concurrency > 0 { values.append(SQLValue(Int64(queue.concurrency))) }
        return HostStatement(
            """
            WITH chosen AS MATERIALIZED (
                SELECT job_id FROM host__jobs WHERE owner = ?1 AND queue = ?2 AND ready = 1
                ORDER BY priority DESC, due_at LIMIT \(limit)\(dialect.skipLocked))
            UPDATE host__jobs SET state = 2, ready = 0, due_at = \(clock) + ?4, lease_until = \(clock) + ?4, worker = ?3,
                attempts = attempts + 1, fencing_token = fencing_token + 1
            WHERE job_id IN (SELECT job_id FROM chosen)
            RETURNING \(columns)
            """, values)
    }

    /// Makes leases longer; tells which are lost or to be cancelled.
    public static func heartbeat(
        _ request: JobsHeartbeatRequest, at now: Int64, _ dialect: Dialect
    ) throws(StorageError) -> HostPlan<JobsHeartbeatResponse> {
        guard request.jobs.count <= 5000, (1000...600_000).contains(request.leaseMs) else {
            throw bad("Up to 5000 jobs and a lease of 1000 to 600000 ms are taken.")
        }
        let clock = dialect.clock("?1")
        let statements = request.jobs.map { token in
            HostStatement(
                """
                UPDATE host__jobs SET lease_until = \(clock) + ?5, due_at = \(clock) + ?5, ready = 0
                WHERE job_id = ?2 AND fencing_token = ?3 AND worker = ?4 AND state = 2
                RETURNING cancel_requested
                """,
                [
                    SQLValue(now), SQLValue(token.jobID), SQLValue(token.fencingToken), SQLValue(request.worker),
                    SQLValue(Int64(request.leaseMs)),
                ])
        }
        return HostPlan(statements) { (results: [SQLRows]) throws(StorageError) in
            var response = JobsHeartbeatResponse()
            for (token, rows) in zip(request.jobs, results) {
                switch rows.rows.first?.values.first?.integer {
                case nil: response.lost.append(token.jobID)
                case 1?: response.cancelled.append(token.jobID)
                default: continue
                }
            }
            return response
        }
    }

    /// Ends runs. One that goes back while it is to be cancelled is cancelled.
    public static func finish(
        _ request: JobsFinishRequest, at now: Int64
    ) throws(StorageError) -> HostPlan<JobsFinishResponse> {
        guard request.outcomes.count <= 1000 else { throw bad("Up to 1000 runs are ended at once.") }
        var statements: [HostStatement] = []
        for (index, outcome) in request.outcomes.enumerated() {
            guard outcome.result.count <= 65_536 else {
                throw bad("A result has up to 64 KiB.", at: "/outcomes/\(index)/result")
            }
            switch outcome.state {
            case .waiting, .done, .dead, .cancelled: statements.append(ending(outcome, at: now))
            default: throw bad("A run ends DONE, DEAD, CANCELLED or WAITING.", at: "/outcomes/\(index)/state")
            }
        }
        return HostPlan(statements) { (results: [SQLRows]) throws(StorageError) in
            .with {
                $0.lost = zip(request.outcomes, results).filter { $0.1.changed == 0 }.map { $0.0.jobID }
            }
        }
    }

    private static func ending(_ outcome: JobsJobOutcome, at now: Int64) -> HostStatement {
        let message = String(outcome.message.prefix(2000))
        let told = [
            SQLValue(outcome.jobID), SQLValue(outcome.fencingToken), SQLValue(now), SQLValue(outcome.reason),
            SQLValue(message), SQLValue(Int64(outcome.forgive ? 1 : 0)),
        ]
        guard outcome.state == .waiting else {
            return HostStatement(
                """
                UPDATE host__jobs SET state = ?7, ready = 2, ended_at = ?3, reason = ?4, message = ?5, result = ?8,
                    worker = '', lease_until = 0, attempts = attempts - ?6
                WHERE job_id = ?1 AND fencing_token = ?2 AND state = 2
                """, told + [SQLValue(Int64(outcome.state.rawValue)), SQLValue(outcome.result)])
        }
        let runAt = max(outcome.runAt, now)
        return HostStatement(
            """
            UPDATE host__jobs SET state = CASE WHEN cancel_requested = 1 THEN 5 ELSE 1 END,
                ready = CASE WHEN cancel_requested = 1 THEN 2 ELSE ?7 END,
                ended_at = CASE WHEN cancel_requested = 1 THEN ?3 ELSE 0 END, run_at = ?8, due_at = ?8,
                reason = ?4, message = ?5, worker = '', lease_until = 0, attempts = attempts - ?6
            WHERE job_id = ?1 AND fencing_token = ?2 AND state = 2
            """, told + [SQLValue(Int64(runAt <= now ? 1 : 0)), SQLValue(runAt)])
    }
}

extension JobRows {
    /// Whether a lease would find something, which is cheaper to ask than to try.
    public struct Standing: Sendable, Hashable {
        /// A job can be taken, or its time has come.
        public var isDue: Bool
        /// When the next one is due, or the next lease runs out, by the clock of the host that asks; 0 where none is known.
        public var nextDue: Int64
    }

    /// How the queues of a lease stand, without taking anything.
    public static func standing(
        _ request: JobsLeaseRequest, at now: Int64, _ dialect: Dialect
    ) -> HostPlan<Standing> {
        var statements: [HostStatement] = []
        for queue in request.queues {
            let name = [SQLValue(queue.owner), SQLValue(queue.queue)]
            statements.append(
                HostStatement("SELECT 1 FROM host__jobs WHERE owner = ?1 AND queue = ?2 AND ready = 1 LIMIT 1", name))
            statements.append(nextDue(name, at: now, dialect))
        }
        return HostPlan(statements) { (results: [SQLRows]) throws(StorageError) in
            var standing = Standing(isDue: false, nextDue: 0)
            for place in stride(from: 0, to: results.count, by: 2) {
                if !results[place].rows.isEmpty { standing.isDue = true }
                guard case .integer(let time)? = results[place + 1].rows.first?.values.first?.kind else { continue }
                if time <= now { standing.isDue = true }
                standing.nextDue = standing.nextDue == 0 ? time : min(standing.nextDue, time)
            }
            return standing
        }
    }
}
