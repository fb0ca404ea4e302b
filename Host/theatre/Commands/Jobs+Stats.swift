// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TheatreContracts
import TheatreManifest

extension Jobs {
    /// `theatre jobs stats`.
    struct Stats: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say what each queue holds.")
        @OptionGroup var options: OperatorOptions

        func run() throws {
            try options.run { runtime in
                let queues = try runtime.call("theatre.jobs.v1.Queue/Stats", JobsStatsRequest(), JobsStatsResponse.self)
                    .queues
                if options.json {
                    return try Printing.json(
                        .array(
                            queues.map { queue in
                                .object([
                                    "owner": .string(queue.owner), "queue": .string(queue.queue),
                                    "waiting": .int(queue.waiting), "running": .int(queue.running),
                                    "dead": .int(queue.dead), "ended": .int(queue.ended),
                                    "oldest_due": .int(queue.oldestDue),
                                ])
                            }))
                }
                var table = TextTable(["owner", "queue", "waiting", "running", "dead", "ended", "oldest due"])
                for queue in queues {
                    table.add([
                        queue.owner, queue.queue, "\(queue.waiting)", "\(queue.running)", "\(queue.dead)",
                        "\(queue.ended)", Printing.time(queue.oldestDue),
                    ])
                }
                print(table.text)
            }
        }
    }

    /// `theatre jobs schedules`.
    struct Schedules: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List schedules and when they fire next.")
        @OptionGroup var options: OperatorOptions

        func run() throws {
            try options.run { runtime in
                let schedules = try runtime.call(
                    "theatre.jobs.v1.Queue/Stats", JobsStatsRequest(), JobsStatsResponse.self
                ).schedules
                if options.json { return try Printing.json(.array(schedules.map(json))) }
                var table = TextTable(["owner", "schedule", "cron", "time zone", "queue", "catch up", "last", "next"])
                for schedule in schedules {
                    table.add([
                        schedule.owner, schedule.name, schedule.cron,
                        schedule.timeZone.isEmpty ? "UTC" : schedule.timeZone, schedule.job.queue,
                        Self.catchUp(schedule), Printing.time(schedule.lastAt), Self.next(schedule),
                    ])
                }
                print(table.text)
            }
        }

        private func json(_ schedule: JobsSchedule) -> JSONValue {
            .object([
                "owner": .string(schedule.owner), "name": .string(schedule.name), "cron": .string(schedule.cron),
                "time_zone": .string(schedule.timeZone.isEmpty ? "UTC" : schedule.timeZone),
                "catch_up": .string(Self.catchUp(schedule)), "queue": .string(schedule.job.queue),
                "kind": .string(schedule.job.kind), "next_at": .int(schedule.nextAt),
                "last_at": .int(schedule.lastAt), "tenant": .text(schedule.tenant),
            ])
        }

        private static func catchUp(_ schedule: JobsSchedule) -> String {
            switch schedule.catchUp {
            case .one: "one"
            case .all: "all"
            default: "skip"
            }
        }

        private static func next(_ schedule: JobsSchedule) -> String {
            switch schedule.nextAt {
            case ..<0: "never"
            case 0: "soon"
            default: Printing.time(schedule.nextAt)
            }
        }
    }

    /// A job with all its fields.
    static func json(_ job: JobsJob) -> JSONValue {
        .object([
            "job_id": .string(job.jobID), "owner": .string(job.owner), "queue": .string(job.queue),
            "kind": .string(job.kind), "payload": .bytes(job.payload), "state": .string("\(job.state)"),
            "run_at": .int(job.runAt), "priority": .int(job.priority), "unique_key": .text(job.uniqueKey),
            "attempts": .int(job.attempts), "max_attempts": .int(job.maxAttempts),
            "timeout_ms": .int(job.timeoutMs), "fencing_token": .int(job.fencingToken),
            "worker": .text(job.worker), "lease_until": .int(job.leaseUntil),
            "cancel_requested": .bool(job.cancelRequested), "reason": .text(job.reason),
            "message": .text(job.message), "result": .bytes(job.result), "enqueued_at": .int(job.enqueuedAt),
            "ended_at": .int(job.endedAt), "tenant": .text(job.tenant), "principal": .text(job.principal),
            "traceparent": .text(job.traceparent), "schedule": .text(job.schedule),
        ])
    }
}
