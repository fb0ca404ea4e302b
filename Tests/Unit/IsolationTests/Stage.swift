// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Isolation
import Logging
import Runtime
import Synchronization
import TheatreContracts
import TheatreManifest

/// A fleet whose instances run in processes of their own, and calls to them that wait.
final class Stage: Sendable {
    let dispatcher: Dispatcher
    let clock = SystemClock()
    let fleet: Fleet
    let lines = Mutex<[String]>([])

    init() throws {
        dispatcher = Dispatcher(clock: clock)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        fleet = Fleet(
            dispatcher: dispatcher, hooks: InstancePort.Hooks(), logger: logger,
            homes: [.isolated: IsolatedHousing(program: "\(Self.folder)/theatre-runner")])
        try dispatcher.startSweeping()
    }

    /// Where the libraries, the runner and this test were built.
    static let folder: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "."
        return own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
    }()

    static func plan(_ plugin: String, _ name: String, _ mode: InstanceMode = .isolated, configuration: String = "{}")
        throws -> InstancePlan
    {
        let file = try PluginFile(name: plugin, path: "\(folder)/lib\(plugin).so")
        var plan = InstancePlan(
            name: name, file: file, isCritical: true, configuration: Array(configuration.utf8),
            environment: HostEnvironment(), grants: ResolvedGrants(),
            operations: file.manifest.operations.map { PortOperation($0, traits($0)) }, calls: [],
            limits: InstancePort.Limits(), fingerprint: "\(mode)", providers: [], controlSeconds: 10)
        plan.mode = mode
        return plan
    }

    private static func traits(_ operation: String) -> OperationTraits {
        var traits = OperationTraits()
        traits.streamsOut = operation.hasSuffix("Stream") || operation.hasSuffix("/Transact")
        traits.streamsIn = operation.hasSuffix("/Transact")
        traits.sideEffect = operation.hasSuffix("/Commit")
        return traits
    }

    func start(_ plans: [InstancePlan]) throws {
        try fleet.start(Fleet.Plan(instances: plans, closed: []) { _ in NoRoutes() })
    }

    func stop() {
        fleet.stop(drainSeconds: 1)
        dispatcher.stopSweeping()
    }

    func status(_ name: String) -> InstanceStatus? { fleet.statuses.first { $0.instance == name } }

    static let handle = "theatre.http.v1.Handler/Handle"

    /// Calls and waits for the end.
    func call(
        _ instance: String, _ operation: String = Stage.handle, _ payload: [UInt8] = [], seconds: UInt64 = 10
    ) throws -> Answer {
        let target = try dispatcher.target(instance: instance, operation: operation)
        let sink = WaitingSink()
        payload.withUnsafeBytes { bytes in
            var call = OutgoingCall(payload: bytes, context: .system)
            call.timeout = seconds * 1_000_000_000
            sink.began(dispatcher.start(call, on: target, sink: sink), dispatcher)
        }
        return sink.wait()
    }

    /// Calls the unruly fixture.
    func ask(_ instance: String, _ what: String, seconds: UInt64 = 10) throws -> Answer {
        try call(instance, Self.handle, Array(what.utf8), seconds: seconds)
    }
}

/// Nothing needs anything.
final class NoRoutes: Routing {
    func resolve(_ query: borrowing RouteQuery) -> Resolution {
        .unavailable(CallError(.unavailable, "route.unrouted", "Nothing is routed here."))
    }
}

/// How a call ended, with what it streamed.
struct Answer: Sendable, Equatable {
    var payload: [UInt8] = []
    var error: CallError?
    var chunks: [[UInt8]] = []

    /// What the fixture answers with.
    var text: String {
        guard payload.count > 17 else { return error.map { "\($0)" } ?? "" }
        return String(decoding: payload[17...], as: UTF8.self)
    }
}

/// Waits for a call on a thread of the test's.
final class WaitingSink: CallSink {
    private let shared = Mutex(Answer())
    private let done = Latch()
    private let starter = Mutex<(CallID, Dispatcher)?>(nil)

    func began(_ call: CallID, _ dispatcher: Dispatcher) { starter.withLock { $0 = (call, dispatcher) } }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        shared.withLock { answer in
            answer.payload = Array(result.payload)
            answer.error = result.error
        }
        done.open()
    }

    func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) {
        shared.withLock { $0.chunks.append(Array(message)) }
        if let (_, dispatcher) = starter.withLock({ $0 }) { dispatcher.credit(call, bytes: UInt64(message.count)) }
    }

    func wait() -> Answer {
        done.wait()
        return shared.withLock { $0 }
    }
}
