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

    /// Which jobs an action is done to.
    struct Choice: ParsableArguments {
        @Argument(help: "Ids; without them, all that the options choose.") var jobs: [String] = []
        @Option(help: "Only of this instance.") var owner = ""
        @Option(help: "Only in this queue.") var queue = ""
        @Option(help: "Only in this state.") var status: State?
        @Flag(help: "All, where neither ids nor options choose.") var all = false
        @Option(help: "At most so many.") var limit: UInt32 = 1000
        @Flag(help: "Say which it would be, and change nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func validate() throws {
            guard !jobs.isEmpty || all || !owner.isEmpty || !queue.isEmpty || status != nil else {
                throw ValidationError("name jobs by their ids, choose with --owner, --queue or --status, or say --all")
            }
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is 1 to 1000") }
        }

        /// Does `action` to them, of those in `states`.
        func run(
            _ action: JobsControlAction, _ done: String, states: [JobsJobState], before: Int64 = 0
        ) throws {
            try options.run { runtime in
                if dryRun { return try preview(runtime, done, states, before) }
                let request = JobsControlRequest.with {
                    $0.action = action
                    $0.jobIds = jobs
                    $0.owner = owner
                    $0.queue = queue
                    $0.state = status?.value ?? .unspecified
                    $0.before = before
                    $0.limit = limit
                }
                let changed = try runtime.call("theatre.jobs.v1.Queue/Control", request, JobsControlResponse.self)
                    .changed
                if options.json { return try Printing.json(.object(["changed": .int(changed)])) }
                print("\(Printing.count(changed, "job")) \(done)")
            }
        }

        private func preview(
            _ runtime: OperatorRuntime, _ done: String, _ states: [JobsJobState], _ before: Int64
        ) throws {
            let requests: [JobsListRequest] =
                jobs.isEmpty
                ? (status.map { [$0.value] } ?? states).map { state in
                    .with {
                        $0.owner = owner
                        $0.queue = queue
                        $0.state = state
                        $0.limit = limit
                    }
                } : jobs.map { id in .with { $0.jobID = id } }
            var found: [JobsJob] = []
            for request in requests {
                found += try runtime.call("theatre.jobs.v1.Queue/List", request, JobsListResponse.self).jobs
            }
            let chosen = found.filter {
                states.contains($0.state) && (before == 0 || $0.endedAt < before)
                    && (owner.isEmpty || $0.owner == owner) && (queue.isEmpty || $0.queue == queue)
            }.prefix(Int(limit))
            if options.json {
                return try Printing.json(
                    .object(["dry_run": .bool(true), "jobs": .array(chosen.map { .string($0.jobID) })]))
            }
            for job in chosen { print("\(job.jobID)  \(job.owner)/\(job.queue)  \(job.state)") }
            print("\(Printing.count(chosen.count, "job")) would be \(done); nothing was changed")
        }
    }

    /// `theatre jobs retry`.
    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make dead or cancelled jobs wait again, with attempts from 0.")
        @OptionGroup var choice: Choice

        func run() throws { try choice.run(.retry, "to run again", states: [.dead, .cancelled]) }
    }

    /// `theatre jobs cancel`.
    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel jobs: at once where they wait, at their next heartbeat where they run.")
        @OptionGroup var choice: Choice

        func run() throws { try choice.run(.cancel, "cancelled, or about to be", states: [.waiting, .running]) }
    }

    /// `theatre jobs remove`.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove jobs that have ended.")
        @Option(help: "Only those that ended more than so many hours ago.") var olderThan: Int64 = 0
        @OptionGroup var choice: Choice

        func run() throws {
            let before = olderThan > 0 ? Int64(Date().timeIntervalSince1970 * 1000) - olderThan * 3_600_000 : 0
            try choice.run(.remove, "removed", states: [.done, .dead, .cancelled], before: before)
        }
    }
}
