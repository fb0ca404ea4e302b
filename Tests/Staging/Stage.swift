// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Isolation
import JSONSchema
import Logging
import Registry
import Remote
import Runtime
import Synchronization
import TheatreContracts
import TheatreManifest

/// A fleet whose instances run in processes of their own, and calls to them that wait.
package final class Stage: Sendable {
    package let dispatcher: Dispatcher
    package let clock = SystemClock()
    package let fleet: Fleet
    /// What instances logged.
    package let lines = Lines()

    package init(crashes: CrashPolicy = CrashPolicy()) throws {
        dispatcher = Dispatcher(clock: clock)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var hooks = InstancePort.Hooks()
        let lines = lines
        hooks.onLog = { identity, _, message, fields in
            lines.append("\(identity.instance) \(identity.generation): \(message) \(fields)")
        }
        fleet = Fleet(
            dispatcher: dispatcher, hooks: hooks, logger: logger,
            homes: [
                .inproc: Self.images,
                .isolated: IsolatedHousing(program: "\(Self.folder)/theatre-runner", logger: logger),
                .remote: RemoteHousing(logger: logger),
            ],
            crashes: crashes)
        try dispatcher.startSweeping()
    }

    /// What is mapped stays mapped: a library is, once for all the tests of this process.
    private static let images = InProcessHousing(residentLimit: 1000)

    /// Where the libraries, the runner and this test were built.
    package static let folder: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "."
        return own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
    }()

    /// A folder of its own, for as long as `body` runs.
    package static func withFolder(_ body: (String) throws -> Void) throws {
        var name = Array("/tmp/theatre-isolation-XXXXXX".utf8CString)
        guard let path = mkdtemp(&name).map({ String(cString: $0) }) else { throw Unstaged("no folder can be made") }
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    package static func plan(
        _ plugin: String, _ name: String, _ mode: InstanceMode = .isolated, configuration: String = "{}"
    )
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
        traits.beforeReady = operation == Handover.give
        traits.sideEffect = operation.hasSuffix("/Commit") || operation.hasSuffix("/Send")
        return traits
    }

    package func start(
        _ plans: [InstancePlan],
        routing: @escaping @Sendable ([String: InstancePort]) -> any Routing = { _ in NoRoutes() }
    ) throws(LoadError) {
        try fleet.start(Fleet.Plan(instances: plans, closed: [], routing: routing))
    }

    package func stop() {
        fleet.stop(drainSeconds: 1)
        dispatcher.stopSweeping()
    }

    package func status(_ name: String) -> InstanceStatus? { fleet.statuses.first { $0.instance == name } }

    package static let handle = "theatre.http.v1.Handler/Handle"

    /// Calls and waits for the end.
    package func call(
        _ instance: String, _ operation: String = Stage.handle, _ payload: [UInt8] = [], seconds: UInt64 = 10,
        context: CallContext = .system
    ) throws -> Answer {
        let target = try dispatcher.target(instance: instance, operation: operation)
        let sink = WaitingSink()
        payload.withUnsafeBytes { bytes in
            var call = OutgoingCall(payload: bytes, context: context)
            call.timeout = seconds * 1_000_000_000
            sink.began(dispatcher.start(call, on: target, sink: sink), dispatcher)
        }
        return sink.wait()
    }

    /// Calls, sends messages as the credit allows, and waits for the end.
    package func converse(
        _ instance: String, _ operation: String, _ messages: [[UInt8]], context: CallContext = .system
    ) throws -> Answer {
        let target = try dispatcher.target(instance: instance, operation: operation)
        let sink = WaitingSink(sending: messages)
        [UInt8]().withUnsafeBytes { bytes in
            sink.began(
                dispatcher.start(OutgoingCall(payload: bytes, context: context), on: target, sink: sink), dispatcher)
        }
        return sink.wait()
    }

    /// Calls the unruly fixture.
    package func ask(_ instance: String, _ what: String, seconds: UInt64 = 10) throws -> Answer {
        try call(instance, Self.handle, Array(what.utf8), seconds: seconds)
    }
}

/// Lines from any thread.
package final class Lines: Sendable {
    private let all = Mutex<[String]>([])
    package func append(_ line: String) { all.withLock { $0.append(line) } }
    package var list: [String] { all.withLock { $0 } }
}

/// Nothing needs anything.
package final class NoRoutes: Routing {
    package func resolve(_ query: borrowing RouteQuery) -> Resolution {
        .unavailable(CallError(.unavailable, "route.unrouted", "Nothing is routed here."))
    }
}

/// How a call ended, with what it streamed.
package struct Answer: Sendable, Equatable {
    package var payload: [UInt8] = []
    package var error: CallError?
    package var chunks: [[UInt8]] = []

    package init(error: CallError? = nil) { self.error = error }

    /// What the fixture answers with.
    package var text: String {
        guard payload.count > 17 else { return error.map { "\($0)" } ?? "" }
        return String(decoding: payload[17...], as: UTF8.self)
    }
}

/// Waits for a call on a thread of the test's.
package final class WaitingSink: CallSink {
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
    package init(sending messages: [[UInt8]] = []) { shared = Mutex(Shared(sending: messages[...])) }

    package func began(_ call: CallID, _ dispatcher: Dispatcher) {
        let (owed, sends) = shared.withLock { shared in
            (shared.call, shared.dispatcher) = (call, dispatcher)
            return (shared.owed, !shared.sending.isEmpty)
        }
        if owed > 0 { dispatcher.credit(call, bytes: owed) }
        if sends { send() }
    }

    package func complete(_ call: CallID, _ result: borrowing CallResult) {
        shared.withLock { shared in
            shared.answer.payload = Array(result.payload)
            shared.answer.error = result.error
        }
        done.open()
    }

    package func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) {
        let dispatcher = shared.withLock { shared -> Dispatcher? in
            if !(end && message.isEmpty) { shared.answer.chunks.append(Array(message)) }
            if shared.dispatcher == nil { shared.owed += UInt64(message.count) }
            return shared.dispatcher
        }
        dispatcher?.credit(call, bytes: UInt64(message.count))
    }

    package func credit(_ call: CallID, bytes: UInt64) { send() }

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

    package func wait() -> Answer {
        done.wait()
        return shared.withLock { $0.answer }
    }
}

/// Why a stage could not be set.
package struct Unstaged: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
