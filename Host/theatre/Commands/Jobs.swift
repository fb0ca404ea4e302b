// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

/// `theatre jobs`.
struct Jobs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at jobs and take a hand in them, beside a running host or without one.",
        subcommands: [List.self, Show.self, Retry.self, Cancel.self, Remove.self, Stats.self, Schedules.self],
        defaultSubcommand: Stats.self)

    /// The states by their names on the command line.
    enum State: String, ExpressibleByArgument, CaseIterable {
        case waiting, running, done, dead, cancelled

        var value: JobsJobState {
            switch self {
            case .waiting: .waiting
            case .running: .running
            case .done: .done
            case .dead: .dead
            case .cancelled: .cancelled
            }
        }
    }

    /// `theatre jobs list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List jobs, newest first.")

        @OptionGroup var options: OperatorOptions
        @Option(help: "Only of this instance.") var owner = ""
        @Option(help: "Only in this queue.") var queue = ""
        @Option(help: "Only in this state: waiting, running, done, dead or cancelled.") var status: State?
        @Option(help: "At most so many, 1 to 1000.") var limit: UInt32 = 100
        @Option(help: "Only those before this id.") var before = ""

        func validate() throws {
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is 1 to 1000") }
        }

        func run() throws {
            try options.run { runtime in
                let request = JobsListRequest.with {
                    $0.owner = owner
                    $0.queue = queue
                    $0.state = status?.value ?? .unspecified
                    $0.limit = limit
                    $0.before = before
                }
                let jobs = try runtime.call("theatre.jobs.v1.Queue/List", request, JobsListResponse.self).jobs
                if options.json { return try Printing.json(.array(jobs.map(Jobs.json))) }
                var table = TextTable(["job", "owner/queue", "kind", "state", "attempts", "run at", "reason"])
                for job in jobs {
                    table.add([
                        job.jobID, "\(job.owner)/\(job.queue)", job.kind, "\(job.state)",
                        "\(job.attempts)", Printing.time(job.runAt), job.reason.isEmpty ? "-" : job.reason,
                    ])
                }
                print(table.text)
            }
        }
    }

    /// `theatre jobs show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print a job with its payload and result.")

        @Argument(help: "Its id.") var job: String
        @OptionGroup var options: OperatorOptions

        func run() throws {
            try options.run { runtime in
                let request = JobsListRequest.with { $0.jobID = job }
                let jobs = try runtime.call("theatre.jobs.v1.Queue/List", request, JobsListResponse.self).jobs
                guard let job = jobs.first else { throw ServeFailure("there is no job \(self.job)") }
                if options.json { return try Printing.json(Jobs.json(job)) }
                var table = TextTable(["field", "value"])
                let object = Jobs.json(job).object ?? [:]
                for (name, value) in object.sorted(by: { $0.key < $1.key }) where value != .null {
                    table.add([name, try value.string ?? String(decoding: value.json(), as: UTF8.self)])
                }
                print(table.text)
            }
        }
    }

    /// `theatre jobs retry`.
    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make dead or cancelled jobs wait again, with attempts from 0.")
        @OptionGroup var choice: Choice

        func run() throws { try choice.run(.retry, "run again", "to run again", states: [.dead, .cancelled]) }
    }

    /// `theatre jobs cancel`.
    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel jobs: at once where they wait, at their next heartbeat where they run.")
        @OptionGroup var choice: Choice

        func run() throws {
            try choice.run(.cancel, "cancelled", "cancelled, or about to be", states: [.waiting, .running])
        }
    }

    /// `theatre jobs remove`.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove jobs that have ended.")
        @Option(help: "Only those that ended more than so many hours ago, 1 to 1000000.") var olderThan: Int64?
        @OptionGroup var choice: Choice

        func validate() throws {
            guard (1...1_000_000).contains(olderThan ?? 1) else {
                throw ValidationError("--older-than is 1 to 1000000 hours")
            }
        }

        func run() throws {
            let before = olderThan.map { Int64(Date().timeIntervalSince1970 * 1000) - $0 * 3_600_000 } ?? 0
            try choice.run(.remove, "removed", "removed", states: [.done, .dead, .cancelled], before: before)
        }
    }
}
