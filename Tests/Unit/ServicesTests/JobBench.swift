// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts

@testable import Services

/// A job pump over a queue in memory, before an instance that the test plays.
final class JobBench: Sendable {
    let calls = FakeCalls()
    let clock = ManualClock(at: 1_767_225_600_000)
    let store: FakeQueue
    /// Jobs that run, by id, with what ends them.
    let running = Mutex<[String: FakeCalls.Then]>([:])
    let begun = Mutex<[String]>([])
    let contexts = Mutex<[HostContext]>([])
    /// Nobody lets go of a host that is killed.
    private let pumps = Mutex<[JobPump]>([])

    init() { store = FakeQueue(calls, clock) }

    static func queue(_ fill: (inout JobQueue) -> Void = { _ in }) -> JobQueue {
        var queue = JobQueue(owner: "press", name: "render")
        fill(&queue)
        return queue
    }

    func pump(_ node: String = "node", life: String = "1") -> JobPump {
        let pump = JobPump(
            calls, storage: "sqlite", clock: clock, worker: WorkerName(node: node, life: life),
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), offload: { $0() })
        pumps.withLock { $0.append(pump) }
        return pump
    }

    /// Runs that end when the test says so.
    func hold() {
        calls.handle("press", "theatre.jobs.v1.Worker/Run") { [self] call, then in
            guard let request = try? JobsRunRequest(serializedBytes: call.payload) else { return }
            begun.withLock { $0.append("\(request.job.jobID)#\(call.attempt)") }
            contexts.withLock { $0.append(call.context.message) }
            running.withLock { $0[request.job.jobID] = then }
        }
    }

    func end(_ id: String, _ result: Result<JobsRunResponse, CallError> = .success(.init())) {
        guard let then = running.withLock({ $0.removeValue(forKey: id) }) else { return }
        then(result.map { (try? $0.serializedBytes()) ?? [] })
    }

    /// Runs that end at once.
    func run(_ body: @escaping @Sendable (JobsJob) throws -> JobsRunResponse = { _ in .init() }) {
        calls.serve("press", "theatre.jobs.v1.Worker/Run") { [self] (request: JobsRunRequest, call) in
            begun.withLock { $0.append("\(request.job.jobID)#\(call.attempt)") }
            return try body(request.job)
        }
    }

    /// Lets time pass in small steps; what is due is leased.
    func pass(_ milliseconds: Int64, step: Int64 = 250) {
        var left = milliseconds
        while left > 0 {
            clock.advance(min(step, left))
            store.serve()
            left -= step
        }
    }
}
