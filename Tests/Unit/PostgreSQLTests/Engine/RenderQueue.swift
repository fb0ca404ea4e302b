// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreStorage

@testable import PostgreSQL

/// The queue `render` of `shop`, as whichever engine is asked has it.
struct RenderQueue {
    let shop: CallerScope

    init(_ fixture: EngineFixture) throws { shop = try fixture.scope("shop") { $0.queues = "render" } }

    static func job(_ kind: String, unique: String = "", runAt: Int64 = 0) -> JobsNewJob {
        .with {
            $0.queue = "render"
            $0.kind = kind
            $0.uniqueKey = unique
            $0.runAt = runAt
        }
    }

    func enqueue(_ jobs: [JobsNewJob], on engine: Engine) async throws {
        _ = try await engine.enqueue(.with { $0.jobs = jobs }, for: shop)
    }

    func lease(
        _ engine: Engine, _ worker: String, limit: UInt32 = 10, lease: UInt32 = 600_000, concurrency: UInt32 = 0,
        wait: UInt32 = 0
    ) async throws -> [JobsJob] {
        try await engine.lease(
            .with {
                $0.worker = worker
                $0.queues = [
                    .with {
                        $0.owner = "shop"
                        $0.queue = "render"
                        $0.limit = limit
                        $0.concurrency = concurrency
                    }
                ]
                $0.leaseMs = lease
                $0.waitMs = wait
            }, for: shop
        ).jobs
    }

    /// Ends runs as done; those that were no longer the worker's.
    func finish(_ jobs: [JobsJob], on engine: Engine) async throws -> [String] {
        try await engine.finish(
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

    /// Takes and ends jobs until none is left, by workers that take turns at the engines; what each took.
    func workOff(_ engines: [Engine], workers: Int) async throws -> [String] {
        try await withThrowingTaskGroup(of: [String].self) { group in
            for worker in 0..<workers {
                let engine = engines[worker % engines.count]
                group.addTask {
                    var taken: [String] = []
                    while true {
                        let jobs = try await lease(engine, "w\(worker)", limit: 7)
                        if jobs.isEmpty { return taken }
                        taken += jobs.map(\.jobID)
                        #expect(try await finish(jobs, on: engine).isEmpty)
                    }
                }
            }
            return try await group.reduce([], +)
        }
    }
}
