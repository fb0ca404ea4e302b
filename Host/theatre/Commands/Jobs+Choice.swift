// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

extension Jobs {
    /// Which jobs an action is done to.
    struct Choice: ParsableArguments {
        @Argument(help: "Ids; without them, all that the options choose.") var jobs: [String] = []
        @Option(help: "Only of this instance.") var owner = ""
        @Option(help: "Only in this queue.") var queue = ""
        @Option(help: "Only in this state.") var status: State?
        @Flag(help: "All, where neither ids nor options choose.") var all = false
        @Option(help: "At most so many, the oldest first, 1 to 1000.") var limit: UInt32 = 1000
        @Flag(help: "Say which it would be, and change nothing.") var dryRun = false
        @OptionGroup var options: OperatorOptions

        func validate() throws {
            guard !jobs.isEmpty || all || !owner.isEmpty || !queue.isEmpty || status != nil else {
                throw ValidationError("name jobs by their ids, choose with --owner, --queue or --status, or say --all")
            }
            guard jobs.isEmpty || !all else { throw ValidationError("--all does not go with ids") }
            guard jobs.count <= 500 else { throw ValidationError("at most 500 ids at once") }
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is 1 to 1000") }
        }

        /// Does `action` to them, of those in `states`. Where an id is of none of them, nothing is done.
        ///
        /// - Parameters:
        ///   - done: what can then be said of each, as in "cannot be cancelled".
        ///   - outcome: what is said of all.
        ///   - before: only of those that ended before it, in milliseconds since 1970; 0: whenever.
        func run(
            _ action: JobsControlAction, _ done: String, _ outcome: String, states: [JobsJobState], before: Int64 = 0
        ) throws {
            try options.run { runtime in
                let fits = { (job: JobsJob) in
                    states.contains(job.state) && (before == 0 || job.endedAt < before)
                        && (status.map { $0.value == job.state } ?? true)
                        && (owner.isEmpty || job.owner == owner) && (queue.isEmpty || job.queue == queue)
                }
                var chosen = try named(runtime)
                if let odd = chosen.first(where: { !fits($0) }) {
                    let place = "\(odd.owner)/\(odd.queue)"
                    throw ServeFailure(
                        "\(odd.jobID) of \(place) is \(odd.state): it cannot be \(done), or the options leave it out; nothing was changed"
                    )
                }
                if dryRun {
                    if jobs.isEmpty { chosen = try chosenByOptions(runtime, states, fits) }
                    return try preview(chosen, outcome)
                }
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
                print("\(Printing.count(changed, "job")) \(outcome)")
            }
        }

        /// Those that are named, which must be there.
        private func named(_ runtime: OperatorRuntime) throws -> [JobsJob] {
            try jobs.map { id in
                let request = JobsListRequest.with { $0.jobID = id }
                let found = try runtime.call("theatre.jobs.v1.Queue/List", request, JobsListResponse.self).jobs
                guard let job = found.first else {
                    throw ServeFailure("there is no job \(id); nothing was changed")
                }
                return job
            }
        }

        /// The oldest of those that the options choose, as the storage takes them.
        private func chosenByOptions(
            _ runtime: OperatorRuntime, _ states: [JobsJobState], _ fits: (JobsJob) -> Bool
        ) throws -> [JobsJob] {
            var found: [JobsJob] = []
            for state in status.map({ [$0.value] }) ?? states {
                var request = JobsListRequest.with {
                    $0.owner = owner
                    $0.queue = queue
                    $0.state = state
                    $0.limit = 100
                }
                var oldest: [JobsJob] = []
                while true {
                    let page = try runtime.call("theatre.jobs.v1.Queue/List", request, JobsListResponse.self).jobs
                    for var job in page where fits(job) {
                        (job.payload, job.result) = (.init(), .init())
                        oldest.append(job)
                    }
                    // Newest first: what is beyond the limit is not kept until all were seen.
                    oldest = Array(oldest.suffix(Int(limit)))
                    guard let last = page.last else { break }
                    request.before = last.jobID
                }
                found += oldest
            }
            return Array(found.sorted { $0.jobID < $1.jobID }.prefix(Int(limit)))
        }

        private func preview(_ chosen: [JobsJob], _ outcome: String) throws {
            if options.json {
                return try Printing.json(
                    .object(["dry_run": .bool(true), "jobs": .array(chosen.map { .string($0.jobID) })]))
            }
            for job in chosen { print("\(job.jobID)  \(job.owner)/\(job.queue)  \(job.state)") }
            print("\(Printing.count(chosen.count, "job")) would be \(outcome); nothing was changed")
        }
    }
}
