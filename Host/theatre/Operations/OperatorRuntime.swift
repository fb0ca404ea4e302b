// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Isolation
import Logging
import NIOCore
import NIOPosix
import Registry
import Remote
import Runtime
import Services
import SwiftProtobuf
import Synchronization

/// A host with the deployment's storage instance alone, for an operator's command: beside a running host or without one.
///
/// Its functions block; a command is a process of its own.
final class OperatorRuntime {
    /// Name of the storage instance.
    let storage: String
    /// Whether it is served by another process, perhaps on another machine: paths are that one's.
    let isElsewhere: Bool
    /// `00-host.yaml`.
    let host: HostConfiguration
    private let dispatcher: Dispatcher
    private let fleet: Fleet
    private let writer: LogWriter
    /// For a key source that is elsewhere.
    private let egress: EgressService

    /// Reads the deployment and starts its storage.
    ///
    /// - Parameters:
    ///   - reaching: what a storage in a sandbox is to touch for this command, beside what it always may.
    ///   - opensSecrets: the key source is started too.
    /// - Throws: ``ServeFailure`` in words for the operator.
    init(
        _ options: DeploymentOptions, state: String?, reaching: [SandboxPlan.File] = [],
        opensSecrets: Bool = false
    ) throws {
        let deployment: CompiledDeployment
        do throws(DeploymentFaults) {
            deployment = try CompiledDeployment.read(folder: options.pluginsD, libraries: options.libraryFolder)
        } catch {
            throw ServeFailure("\(error)\nnothing was done; `theatre check` shows the same")
        }
        var host = deployment.host
        if let state { host.state = state }
        self.host = host
        storage = host.storage
        let clock = SystemClock()
        writer = LogWriter()
        host.log.level = "warning"
        let log = HostLog(writer: writer, host: host, clock: clock)
        dispatcher = Dispatcher(clock: clock)
        try dispatcher.startSweeping()
        let secrets = FileAndEnvironmentSecrets(folder: "\(host.state)/\(host.secretsFolder)")
        let service = SecretsService(source: secrets)
        do throws(CallError) {
            egress = try EgressService(
                group: MultiThreadedEventLoopGroup.singleton, secrets: secrets, monotonic: { clock.monotonic() },
                authorities: opensSecrets ? host.egress.authorities : [])
        } catch {
            throw ServeFailure("\(error.reason): \(error.message)")
        }
        // Its clients must not go without being shut down, whatever the rest comes to.
        let clients = egress
        var isStarted = false
        defer { if !isStarted { try? clients.shutdown().wait() } }
        let planner = DeploymentPlanner(
            deployment: deployment, services: [service.contract: service, egress.contract: egress], state: host.state,
            publicURL: "", version: HostVersion.current)
        var plan = planner.plan()
        let name = host.storage
        var names: Set = [name]
        if opensSecrets { names.insert(host.keySource) }
        plan.instances = plan.instances.filter { names.contains($0.name) }
        // A damaged database is what some commands are for.
        for index in plan.instances.indices {
            plan.instances[index].testsItself = false
            plan.instances[index].sandbox.files += reaching
        }
        plan.closed = plan.closed.filter { names.contains($0.status.instance) }
        for needed in names.sorted() where !plan.instances.contains(where: { $0.name == needed }) {
            let reason = plan.closed.first { $0.status.instance == needed }?.status.reason ?? "it is not declared"
            throw ServeFailure("\(Self.title(needed, host)) cannot be started: \(reason)")
        }
        isElsewhere = plan.instances.first { $0.name == name }?.mode == .remote
        do throws(CallError) {
            try MasterKeyring.prepare(plan, host)
            try secrets.prepare(plan.instances.flatMap { $0.grants.secrets.values.map(\.source) })
        } catch {
            throw ServeFailure("\(error.reason): \(error.message)")
        }
        fleet = Fleet(
            dispatcher: dispatcher, hooks: log.hooks, logger: log.logger("fleet"),
            homes: [
                .isolated: IsolatedHousing(logger: log.logger("isolation")),
                .remote: RemoteHousing(logger: log.logger("remote")),
            ])
        // Whatever it needs of others is not there: what is left of a deployment routes nothing.
        plan.routing = { _ in NoRouting() }
        do throws(LoadError) { try fleet.start(plan) } catch { throw ServeFailure("\(error)") }
        for status in fleet.statuses where names.contains(status.instance) {
            guard let reason = status.reason else { continue }
            throw ServeFailure("\(Self.title(status.instance, host)) cannot be started: \(reason)")
        }
        isStarted = true
    }

    private static func title(_ instance: String, _ host: HostConfiguration) -> String {
        instance == host.storage ? "the storage instance \(instance)" : "the key source \(instance)"
    }

    /// Runs `body` and stops the storage after it, whatever happened.
    static func run(
        _ options: DeploymentOptions, state: String?, reaching: [SandboxPlan.File] = [], opensSecrets: Bool = false,
        _ body: (OperatorRuntime) throws -> Void
    ) throws {
        let runtime = try OperatorRuntime(options, state: state, reaching: reaching, opensSecrets: opensSecrets)
        defer { runtime.stop() }
        do { try body(runtime) } catch let error as CallError { throw ServeFailure(Self.words(error)) }
    }

    /// Calls a unary operation as the host: of the storage instance, where no other is named.
    func call<Request: Message, Response: Message>(
        _ operation: String, _ request: Request, _ response: Response.Type = Response.self,
        on instance: String? = nil, context: CallContext = .system, timeout: Duration = .seconds(60)
    ) throws(CallError) -> Response {
        try dispatcher.wait(
            instance: instance ?? storage, operation: operation, request: request, context: context, timeout: timeout)
    }

    /// Calls an operation that streams its responses; `each` gets them in order.
    func stream<Request: Message, Response: Message>(
        _ operation: String, _ request: Request, timeout: Duration, _ each: @escaping @Sendable (Response) -> Void
    ) throws(CallError) {
        let target = try dispatcher.target(instance: storage, operation: operation)
        let sink = StreamSink<Response>(dispatcher, each)
        let bytes: [UInt8]
        do { bytes = try request.serializedBytes() } catch {
            throw CallError(.internal, "host.encoding", "The host could not encode a message: \(error).")
        }
        _ = bytes.withUnsafeBytes { buffer in
            var call = OutgoingCall(payload: buffer, context: .system)
            call.timeout = UInt64(timeout.components.seconds) * 1_000_000_000
            return dispatcher.start(call, on: target, sink: sink)
        }
        try sink.wait()
    }

    private func stop() {
        fleet.stop(drainSeconds: 5)
        do { try egress.shutdown().wait() } catch { printError("connections did not close: \(error)") }
        do { try writer.close() } catch { printError("the log could not be written to its end: \(error)") }
    }

    private static func words(_ error: CallError) -> String {
        guard error.code == .unimplemented else { return "\(error.reason): \(error.message)" }
        return "\(error.reason): \(error.message) The storage plugin of this deployment does not offer it."
    }
}

/// Leads nowhere.
private final class NoRouting: Routing {
    func resolve(_ query: borrowing RouteQuery) -> Resolution {
        .unavailable(CallError(.unavailable, "route.unrouted", "An operator's command runs the storage alone."))
    }
}

/// Hands messages on and waits for the end.
private final class StreamSink<Response: Message>: CallSink {
    private let dispatcher: Dispatcher
    private let each: @Sendable (Response) -> Void
    private let failure = Mutex<CallError?>(nil)
    private let done = Latch()

    init(_ dispatcher: Dispatcher, _ each: @escaping @Sendable (Response) -> Void) {
        self.dispatcher = dispatcher
        self.each = each
    }

    func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) {
        guard !message.isEmpty else { return }
        do {
            each(try Response(serializedBytes: Array(message)))
        } catch {
            failure.withLock {
                $0 = CallError(
                    .internal, "host.malformed", "The stream holds what cannot be decoded.", effect: .applied)
            }
        }
        dispatcher.credit(call, bytes: UInt64(message.count))
    }

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        if let error = result.error { failure.withLock { $0 = error } }
        done.open()
    }

    func wait() throws(CallError) {
        done.wait()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }
}
