// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Isolation
import JSONSchema
import Logging
import Runtime
import Synchronization
import Testing
import TheatreContracts
import TheatreManifest

/// A fleet whose instances run in processes of their own, and calls to them that wait.
final class Stage: Sendable {
    let dispatcher: Dispatcher
    let clock = SystemClock()
    let fleet: Fleet
    let lines = Mutex<[String]>([])

    init(crashes: CrashPolicy = CrashPolicy()) throws {
        dispatcher = Dispatcher(clock: clock)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        fleet = Fleet(
            dispatcher: dispatcher, hooks: InstancePort.Hooks(), logger: logger,
            homes: [.isolated: IsolatedHousing(program: "\(Self.folder)/theatre-runner", logger: logger)],
            crashes: crashes)
        try dispatcher.startSweeping()
    }

    /// Where the libraries, the runner and this test were built.
    static let folder: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "."
        return own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
    }()

    /// A folder of its own, for as long as `body` runs.
    static func withFolder(_ body: (String) throws -> Void) throws {
        var name = Array("/tmp/theatre-isolation-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&name).map { String(cString: $0) })
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    static func plan(_ plugin: String, _ name: String, _ mode: InstanceMode = .isolated, configuration: String = "{}")
        throws -> InstancePlan
    {
        let file = try PluginFile(name: plugin, path: "\(folder)/lib\(plugin).so")
        let stated = try JSONValue(json: Data(configuration.utf8))
        let filled = try JSONSchema(file.manifest.configuration).applyingDefaults(to: stated)
        var plan = InstancePlan(
            name: name, file: file, isCritical: true, configuration: [UInt8](try filled.json()),
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

    func start(_ plans: [InstancePlan]) throws(LoadError) {
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

    /// Calls, sends messages as the credit allows, and waits for the end.
    func converse(_ instance: String, _ operation: String, _ messages: [[UInt8]]) throws -> Answer {
        let target = try dispatcher.target(instance: instance, operation: operation)
        let sink = WaitingSink(sending: messages)
        [UInt8]().withUnsafeBytes { bytes in
            sink.began(
                dispatcher.start(OutgoingCall(payload: bytes, context: .system), on: target, sink: sink), dispatcher)
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
    private let shared: Mutex<Shared>
    private let done = Latch()

    private struct Shared {
        var answer = Answer()
        var sending: ArraySlice<[UInt8]>
        var call = CallID.none
        var dispatcher: Dispatcher?
        /// Received before the call's id was known.
        var owed: UInt64 = 0
        /// Threads that want to send, the one that does among them.
        var turns = 0
    }

    /// - Parameter messages: sent one after the other, then the end.
    init(sending messages: [[UInt8]] = []) { shared = Mutex(Shared(sending: messages[...])) }

    func began(_ call: CallID, _ dispatcher: Dispatcher) {
        let (owed, sends) = shared.withLock { shared in
            (shared.call, shared.dispatcher) = (call, dispatcher)
            return (shared.owed, !shared.sending.isEmpty)
        }
        if owed > 0 { dispatcher.credit(call, bytes: owed) }
        if sends { send() }
    }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        shared.withLock { shared in
            shared.answer.payload = Array(result.payload)
            shared.answer.error = result.error
        }
        done.open()
    }

    func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) {
        let dispatcher = shared.withLock { shared -> Dispatcher? in
            if !(end && message.isEmpty) { shared.answer.chunks.append(Array(message)) }
            if shared.dispatcher == nil { shared.owed += UInt64(message.count) }
            return shared.dispatcher
        }
        dispatcher?.credit(call, bytes: UInt64(message.count))
    }

    func credit(_ call: CallID, bytes: UInt64) { send() }

    /// Sends what the credit allows, one thread at a time so that the order is kept.
    private func send() {
        let isFirst = shared.withLock { shared in
            shared.turns += 1
            return shared.turns == 1
        }
        guard isFirst else { return }
        repeat { sendSome() } while !isDone()
    }

    /// False where credit came meanwhile.
    private func isDone() -> Bool {
        shared.withLock { shared in
            let isDone = shared.turns == 1
            shared.turns = isDone ? 0 : 1
            return isDone
        }
    }

    private func sendSome() {
        while true {
            let next = shared.withLock { shared -> (CallID, Dispatcher, [UInt8], Bool)? in
                guard let dispatcher = shared.dispatcher, let message = shared.sending.popFirst() else { return nil }
                return (shared.call, dispatcher, message, shared.sending.isEmpty)
            }
            guard let (call, dispatcher, message, end) = next else { return }
            guard message.withUnsafeBytes({ dispatcher.send(call, $0, end: end) }) else {
                return shared.withLock { $0.sending = [message] + $0.sending }
            }
        }
    }

    func wait() -> Answer {
        done.wait()
        return shared.withLock { $0.answer }
    }
}
