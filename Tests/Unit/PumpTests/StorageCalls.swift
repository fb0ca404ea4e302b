// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Services

/// Carries a pump's calls to a storage plugin in a test host, and its runs and deliveries to closures.
final class StorageCalls: UnaryCalling {
    typealias Then = @Sendable (Result<[UInt8], CallError>) -> Void
    typealias Handler = @Sendable (UnaryCall) async throws -> [UInt8]

    private let handlers = Mutex<[String: Handler]>([:])
    private let tasks = Mutex<(next: UInt64, running: [CallID: Task<Void, Never>])>((1, [:]))
    private let scope: TestScope
    private let storage: String

    init(_ host: TestHost, storage: String) {
        self.storage = storage
        scope = host.scope(HostContext.with { $0.principalKind = .system }, as: "host")
        let jobs = "theatre.jobs.v1.Queue"
        forward(jobs, "Lease", JobsLeaseRequest.self, JobsLeaseResponse.self)
        forward(jobs, "Heartbeat", JobsHeartbeatRequest.self, JobsHeartbeatResponse.self)
        forward(jobs, "Finish", JobsFinishRequest.self, JobsFinishResponse.self)
        forward(jobs, "List", JobsListRequest.self, JobsListResponse.self)
        forward(jobs, "DueSchedules", JobsDueSchedulesRequest.self, JobsDueSchedulesResponse.self)
        forward(jobs, "FireSchedule", JobsFireScheduleRequest.self, JobsFireScheduleResponse.self)
        let log = "theatre.events.v1.Log"
        forward(log, "Read", EventsReadRequest.self, EventsReadResponse.self)
        forward(log, "MoveCursor", EventsMoveCursorRequest.self, EventsMoveCursorResponse.self)
        forward(log, "ListConsumers", EventsListConsumersRequest.self, EventsListConsumersResponse.self)
        forward(log, "AddDeadLetter", EventsAddDeadLetterRequest.self, EventsAddDeadLetterResponse.self)
        forward(log, "ListDeadLetters", EventsListDeadLettersRequest.self, EventsListDeadLettersResponse.self)
        forward(log, "ResolveDeadLetters", EventsResolveDeadLettersRequest.self, EventsResolveDeadLettersResponse.self)
        let leases = "theatre.lease.v1.Leases"
        forward(leases, "Acquire", LeaseAcquireRequest.self, LeaseLease.self)
        forward(leases, "Renew", LeaseRenewRequest.self, LeaseLease.self)
        forward(leases, "Release", LeaseReleaseRequest.self, LeaseReleaseResponse.self)
    }

    /// Serves an operation of an instance.
    func serve<Request: Message, Response: Message>(
        _ instance: String, _ operation: String, _ body: @escaping @Sendable (Request) async throws -> Response
    ) {
        handlers.withLock {
            $0["\(instance) \(operation)"] = { call in
                try await body(Request(serializedBytes: call.payload)).serializedBytes()
            }
        }
    }

    private func forward<Request: Message, Response: Message>(
        _ contract: String, _ operation: String, _: Request.Type, _: Response.Type
    ) {
        let caller = Caller(scope, feature: "\(contract)@\(storage)")
        serve("storage", "\(contract)/\(operation)") { (request: Request) -> Response in
            try await caller.unary(operation, request, CallOptions())
        }
    }

    func call(_ call: UnaryCall, _ then: @escaping Then) -> CallID {
        guard let handler = handlers.withLock({ $0["\(call.instance) \(call.operation)"] }) else {
            then(.failure(CallError(.unimplemented, "test.no_operation", "\(call.operation) is not served.")))
            return .none
        }
        let id = tasks.withLock { tasks in
            defer { tasks.next += 1 }
            return CallID(rawValue: tasks.next)
        }
        let task = Task {
            let result: Result<[UInt8], CallError>
            do { result = .success(try await handler(call)) } catch { result = .failure(Self.error(error)) }
            tasks.withLock { $0.running[id] = nil }
            then(result)
        }
        tasks.withLock { $0.running[id] = task }
        return id
    }

    func cancel(_ call: CallID) { tasks.withLock { $0.running[call] }?.cancel() }

    private static func error(_ error: any Error) -> CallError {
        if error is CancellationError { return CallError(.cancelled, "call.cancelled", "Given up.") }
        guard let error = error as? PluginError else { return CallError(.internal, "test.failed", "\(error)") }
        let retry: CallError.Retry =
            switch error.retry {
            case .never: .never
            case .safe: .safe
            case .after(let milliseconds): .after(milliseconds: milliseconds)
            }
        return CallError(
            StatusCode(lenient: error.code.rawValue), error.reason, error.message, retry: retry, detail: error.detail)
    }
}

/// A test host whose clock goes as the wall's does, for pumps that go by it.
struct RunningClock {
    let clock: LoopClock
    private let ticking: RepeatedTask

    init(_ host: TestHost) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let last = Mutex(NIODeadline.now())
        ticking = loop.scheduleRepeatedTask(initialDelay: .milliseconds(5), delay: .milliseconds(5)) { _ in
            let now = NIODeadline.now()
            let passed = last.withLock { last in
                defer { last = now }
                return now - last
            }
            host.advance(milliseconds: UInt64(max(0, passed.nanoseconds / 1_000_000)))
        }
        clock = LoopClock(loop: loop, wall: { host.now }, monotonic: { NIODeadline.now().uptimeNanoseconds })
    }

    func stop() { ticking.cancel() }
}
