// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts

/// Looking at jobs, and the operator's hand on them.
extension JobRows {
    /// Jobs, newest first.
    public static func list(_ request: JobsListRequest) throws(StorageError) -> HostPlan<JobsListResponse> {
        guard request.limit <= 1000 else { throw bad("Up to 1000 jobs are listed at once.", at: "/limit") }
        var filter = Filter(values: [SQLValue(request.limit == 0 ? 100 : Int64(request.limit))])
        filter.equal("owner", request.owner)
        filter.equal("queue", request.queue)
        filter.equal("job_id", request.jobID)
        if request.state != .unspecified {
            filter.conditions.append("state = \(filter.bind(SQLValue(Int64(request.state.rawValue))))")
        }
        if !request.before.isEmpty { filter.conditions.append("job_id < \(filter.bind(SQLValue(request.before)))") }
        return HostPlan([
            HostStatement(
                "SELECT \(columns) FROM host__jobs WHERE \(filter.text) ORDER BY job_id DESC LIMIT ?1", filter.values)
        ]) { (results: [SQLRows]) throws(StorageError) in .with { $0.jobs = results[0].rows.map { job($0) } } }
    }

    /// What each queue holds, and the schedules.
    public static func stats(at now: Int64, _ dialect: Dialect) -> HostPlan<JobsStatsResponse> {
        let time = dialect == .sqlite ? "?1" : "CASE WHEN state = 2 THEN \(dialect.clock("?1")) ELSE ?1 END"
        return HostPlan([
            HostStatement("SELECT owner, queue, state, COUNT(*) FROM host__jobs GROUP BY owner, queue, state"),
            HostStatement(
                """
                SELECT owner, queue, MIN(due_at) FROM host__jobs WHERE ready = 1 GROUP BY owner, queue
                UNION ALL
                SELECT owner, queue, MIN(due_at) FROM host__jobs WHERE ready = 0 AND due_at <= \(time)
                GROUP BY owner, queue
                """, [SQLValue(now)]),
            HostStatement("SELECT \(ScheduleRows.columns) FROM host__schedules ORDER BY owner, name"),
        ]) { (results: [SQLRows]) throws(StorageError) in
            var queues: [String: JobsQueueStats] = [:]
            for row in results[0].rows { add(row, to: &queues) }
            for row in results[1].rows {
                let key = "\(row.values[0].text)/\(row.values[1].text)"
                let known = queues[key]?.oldestDue ?? 0
                let due = row.values[2].integer
                queues[key]?.oldestDue = known == 0 ? due : min(known, due)
            }
            return .with {
                $0.queues = queues.values.sorted { ($0.owner, $0.queue) < ($1.owner, $1.queue) }
                $0.schedules = results[2].rows.map { ScheduleRows.schedule($0) }
            }
        }
    }

    private static func add(_ row: SQLRow, to queues: inout [String: JobsQueueStats]) {
        let (owner, queue, count) = (row.values[0].text, row.values[1].text, row.values[3].integer)
        var stats =
            queues["\(owner)/\(queue)"]
            ?? .with {
                $0.owner = owner
                $0.queue = queue
            }
        switch JobsJobState(rawValue: Int(row.values[2].integer)) {
        case .waiting?: stats.waiting += count
        case .running?: stats.running += count
        case .dead?: stats.dead += count
        default: stats.ended += count
        }
        queues["\(owner)/\(queue)"] = stats
    }

    /// Cancels, runs again, or removes jobs; gives to how many.
    public static func control(
        _ request: JobsControlRequest, at now: Int64, _ dialect: Dialect
    ) throws(StorageError) -> HostPlan<JobsControlResponse> {
        guard request.jobIds.count <= 500, request.limit <= 10_000 else {
            throw bad("Up to 500 ids and a limit up to 10000 are taken.")
        }
        var filter = Filter(values: [SQLValue(now), SQLValue(request.limit == 0 ? 1000 : Int64(request.limit))])
        let change: String
        switch request.action {
        case .cancel:
            filter.conditions += ["state IN (1, 2)", "(state = 1 OR cancel_requested = 0)"]
            change = "UPDATE host__jobs SET cancel_requested = 1, \(cancelling)"
        case .retry:
            filter.conditions.append("state IN (4, 5)")
            change = """
                UPDATE host__jobs SET state = 1, ready = 1, run_at = ?1, due_at = ?1, attempts = 0, ended_at = 0,
                    cancel_requested = 0, worker = '', lease_until = 0
                """
        case .remove:
            filter.conditions += ["ready = 2", "ended_at <= ?1"]
            change = "DELETE FROM host__jobs"
        default: throw bad("An action is CANCEL, RETRY or REMOVE.", at: "/action")
        }
        filter.equal("owner", request.owner)
        filter.equal("queue", request.queue)
        if request.state != .unspecified {
            filter.conditions.append("state = \(filter.bind(SQLValue(Int64(request.state.rawValue))))")
        }
        if request.before > 0 { filter.conditions.append("ended_at < \(filter.bind(SQLValue(request.before)))") }
        if !request.jobIds.isEmpty {
            let ids = request.jobIds.map { filter.bind(SQLValue($0)) }
            filter.conditions.append("job_id IN (\(ids.joined(separator: ", ")))")
        }
        return HostPlan([
            HostStatement(
                """
                \(change) WHERE job_id IN (
                    SELECT job_id FROM host__jobs WHERE \(filter.text) ORDER BY job_id LIMIT ?2\(dialect.skipLocked))
                """, filter.values,
                conflict: StorageError(
                    .failedPrecondition, "jobs.key_taken",
                    "Another job has the unique key of one of them by now; cancel it or leave this one out."))
        ]) { (results: [SQLRows]) throws(StorageError) in .with { $0.changed = results[0].changed } }
    }
}

/// Conditions and their values.
private struct Filter {
    var values: [SQLValue]
    var conditions: [String] = []

    var text: String { conditions.isEmpty ? "1 = 1" : conditions.joined(separator: " AND ") }

    mutating func bind(_ value: SQLValue) -> String {
        values.append(value)
        return "?\(values.count)"
    }

    /// Where `value` is not empty.
    mutating func equal(_ column: String, _ value: String) {
        guard !value.isEmpty else { return }
        conditions.append("\(column) = \(bind(SQLValue(value)))")
    }
}
