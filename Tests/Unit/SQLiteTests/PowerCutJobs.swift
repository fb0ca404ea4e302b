// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// The jobs of the power-cut test: one for each entry, enqueued in its transaction.
struct PowerCutJobs {
    static let queue = "entered"

    /// Milliseconds that a run has.
    private static let lease: UInt32 = 60_000

    private let host: TestHost
    private let client: JobsQueueClient

    init(_ host: TestHost) {
        self.host = host
        client = JobsQueueClient(host.scope(as: "host"), feature: "queue")
    }

    /// The job of an entry.
    static func new(of entry: Int64) -> JobsNewJob {
        .with {
            $0.queue = queue
            $0.kind = "test.entered"
            $0.payload = Data("\(entry)".utf8)
        }
    }

    private func entry(of job: JobsJob) throws -> Int64 {
        try #require(Int64(String(decoding: job.payload, as: UTF8.self)), "\(job.jobID) is half a job")
    }

    private func take(_ limit: UInt32, worker: String, wait: UInt32) async throws -> [JobsJob] {
        try await client.lease(
            .with {
                $0.worker = worker
                $0.leaseMs = Self.lease
                $0.waitMs = wait
                $0.queues = [
                    .with {
                        $0.owner = "test"
                        $0.queue = Self.queue
                        $0.limit = limit
                    }
                ]
            }
        ).jobs
    }

    private func finish(_ jobs: [JobsJob]) async throws -> [String] {
        try await client.finish(
            .with {
                $0.outcomes = jobs.map { job in
                    .with {
                        $0.jobID = job.jobID
                        $0.fencingToken = job.fencingToken
                        $0.state = .done
                    }
                }
            }
        ).lost
    }

    /// Does jobs while there is load, so that cuts go through the beginning and the end of runs.
    func workOff(_ progress: Progress) async throws {
        while await progress.mayGoOn() {
            let jobs = try await take(2, worker: "before", wait: 20)
            for job in jobs { progress.lease(try entry(of: job), job.fencingToken) }
            // Every fifth is never ended: whoever had it is gone.
            let done = jobs.filter { $0.fencingToken % 5 != 0 }
            guard !done.isEmpty else { continue }
            #expect(try await finish(done).isEmpty, "a run lost its lease")
            for job in done { progress.finish(try entry(of: job)) }
        }
    }

    /// What a cut left: one job for each entry that is stored, none that was ended is run again, each other one once.
    func check(_ stored: Set<Int64>, _ known: Progress.Knowledge, _ cut: String) async throws {
        let jobs = try await all()
        let entries = try jobs.map(entry)
        #expect(Set(entries) == stored && entries.count == stored.count, "\(cut) lost, halved or doubled a job")
        let ended = Set(try jobs.filter { $0.state == .done }.map(entry))
        let forgotten = known.finished.subtracting(ended)
        #expect(forgotten.isEmpty, "\(cut) forgot that jobs were done: \(forgotten.sorted().prefix(5))")
        // The leases of before run out.
        host.advance(milliseconds: UInt64(Self.lease) + 1)
        var run: [Int64] = []
        while true {
            let taken = try await take(100, worker: "after", wait: 0)
            if taken.isEmpty { break }
            for job in taken {
                let entry = try entry(of: job)
                run.append(entry)
                #expect(job.fencingToken > known.tokens[entry] ?? 0, "\(cut): an old token of \(entry) came again")
            }
            #expect(try await finish(taken).isEmpty)
        }
        #expect(run.count == Set(run).count, "\(cut): a job ran twice")
        #expect(Set(run) == stored.subtracting(ended), "\(cut): not the jobs that were not done")
        #expect(try await all().allSatisfy { $0.state == .done })
    }

    private func all() async throws -> [JobsJob] {
        var jobs: [JobsJob] = []
        while true {
            let page = try await client.list(
                .with {
                    $0.limit = 1000
                    $0.before = jobs.last?.jobID ?? ""
                }
            ).jobs
            if page.isEmpty { return jobs }
            jobs += page
        }
    }
}
