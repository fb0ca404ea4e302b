// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Runtime
import Services
import TheatreContracts

/// Events and jobs from the transaction that stores them to the plugin that takes them, by the host's pumps.
enum Pumping {
    private static let events = 300
    private static let jobs = 10_000
    private static let rounds = 3
    private static let clients = 64

    static func run(_ world: StorageWorld, _ engine: String, jobs target: Double, _ table: inout Table) async throws {
        try await deliver(world, engine, &table)
        try await work(world, engine, target, &table)
    }

    private static var log: Logger {
        var log = Logger(label: "benchmarks")
        log.logLevel = .warning
        return log
    }

    private static func deliver(_ world: StorageWorld, _ engine: String, _ table: inout Table) async throws {
        let pump = EventPump(
            calls: world.dispatcher, storage: "storage", clock: world.clock, holder: "bench", log: log)
        pump.serve([EventConsumer(instance: "clerk", types: ["clerk.told"])])
        _ = try await world.work("publish", ["count": 20])
        let figures = try await world.work("publish", ["count": events]).map { $0 / 1e6 }
        await withCheckedContinuation { done in pump.stop(drain: 1000) { done.resume() } }
        var stored = Samples()
        var whole = Samples()
        var after = Samples()
        for index in stride(from: 0, to: figures.count - 2, by: 3) {
            stored.add(figures[index])
            whole.add(figures[index + 1])
            after.add(figures[index + 2])
        }
        table.add(
            Row("event on \(engine), from its durable commit to Deliver", unit: "ms", after, target: "< 1") { $0 < 1 })
        // The same events from the call that publishes them, the commit on disk included: that takes as long as the disk does.
        table.add(
            Row(
                "event on \(engine), from the call that publishes it to Deliver, beside its commit alone", unit: "ms",
                bare: stored, whole, target: "printed"))
    }

    private static func work(
        _ world: StorageWorld, _ engine: String, _ target: Double, _ table: inout Table
    ) async throws {
        let pump = JobPump(
            calls: world.dispatcher, storage: "storage", keySource: "keyfile", clock: world.clock,
            worker: WorkerName(node: "bench", life: "1"), log: log)
        var queue = JobQueue(owner: "clerk", name: "work")
        queue.concurrency = 16
        pump.serve([queue])
        var rates = Samples()
        for round in 0...rounds {
            let began = world.dispatcher.clock.monotonic()
            let before = try await ended(world)
            _ = try await world.work("enqueue", ["tasks": clients, "count": jobs])
            while try await ended(world) < before + jobs { await pause(world) }
            if round > 0 { rates.add(Double(jobs) * 1e9 / Double(world.dispatcher.clock.monotonic() - began)) }
        }
        await withCheckedContinuation { done in pump.stop(drain: 1000) { done.resume() } }
        table.add(
            Row("jobs on \(engine), enqueued one by one to finished", unit: "/s", rates, target: ">= \(Int(target))") {
                $0 >= target
            })
    }

    /// Jobs whose end is stored.
    private static func ended(_ world: StorageWorld) async throws -> Int {
        let stats: JobsStatsResponse = try await world.dispatcher.call(
            instance: "storage", operation: "theatre.jobs.v1.Queue/Stats", request: JobsStatsRequest())
        return stats.queues.first.map { Int($0.ended) } ?? 0
    }

    private static func pause(_ world: StorageWorld) async {
        await withCheckedContinuation { done in _ = world.clock.wake(after: 10) { done.resume() } }
    }
}
