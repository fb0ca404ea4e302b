// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Control
import Gateway
import Logging
import NIOCore
import NIOPosix
import Registry
import Runtime
import ServiceLifecycle
import Services
import Synchronization
import UnixSignals

/// The whole host: everything is made here, started in order and stopped in reverse.
final class HostServer: Sendable {
    /// What it is started with.
    struct Settings: Sendable {
        /// `00-host.yaml` with what the command line overrides.
        var host: HostConfiguration
        /// `plugins.d`.
        var folder: String
        /// Folder of the libraries.
        var libraries: String
        /// Gets one JSON line once the server is ready.
        var readyDescriptor: Int32?
        /// Socket of the test clock.
        var testClock: String?
        /// Mutating routes that commit no answer are failed.
        var verifiesAnswers: Bool
    }

    let settings: Settings
    let deployment: CurrentDeployment
    let parts: HostParts
    let operations: PluginOperations
    /// Serves blocking work of start, reload and stop, one after the other.
    private let operatorThread = OperatorThread()

    init(_ deployment: CompiledDeployment, _ settings: Settings) throws {
        self.settings = settings
        self.deployment = CurrentDeployment(deployment)
        parts = try HostParts(deployment, settings)
        operations = try PluginOperations(
            parts: parts, deployment: self.deployment, settings: settings, thread: operatorThread)
        parts.plugins.operations.withLock { $0 = operations }
    }

    /// Serves until a signal ends it.
    func run() async throws {
        let url: String
        let (ending, reloading): (UnixSignalsSequence, UnixSignalsSequence)
        let testClock: TestClockSocket?
        let control: ControlServer?
        do {
            let routes = try parts.routes(of: deployment.current)
            url = try await parts.listen()
            try await operatorThread.run { [self] in try bringUp(url) }
            // Before anything is served: from the first answer on, a signal drains or reloads, and ends nothing at once.
            ending = await UnixSignalsSequence(trapping: [.sigterm, .sigint])
            reloading = await UnixSignalsSequence(trapping: .sighup)
            try await operatorThread.run { [self] in parts.open(deployment.current, routes) }
            testClock = try await parts.serveTestClock()
            control = await operations.listen()
        } catch {
            await stop()
            throw error
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: Stopping { [self] in await stop() }),
                    .init(
                        service: Ending(signals: ending), successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: Reloading(signals: reloading) { [self] in await reload() }),
                    .init(service: parts.gatewayEvents),
                    .init(service: KeyWatch(thread: operatorThread, parts: parts)),
                ],
                logger: parts.logger))
        announce(url)
        try await group.run()
        try await control?.close()
        try await testClock?.close()
    }

    /// Starts every instance, then the pumps.
    private func bringUp(_ url: String) throws {
        let deployment = deployment.current
        let planner = try parts.planner(deployment, url)
        parts.warn(planner)
        let plan = try operations.applying(planner.plan())
        do throws(CallError) { try MasterKeyring.prepare(plan, settings.host) } catch {
            throw ServeFailure("\(error.reason): \(error.message)")
        }
        try parts.granting(plan) { plan, flip in
            try parts.fleet.start(plan)
            flip()
        }
        try parts.prepareStorage()
        parts.tellOfKeys()
    }

    /// Reads `plugins.d` again. Any fault leaves what serves as it is.
    private func reload() async {
        do {
            try await operatorThread.run { [self] in parts.gateway.reloadCertificate() }
            let fresh = try CompiledDeployment.read(
                folder: settings.folder, libraries: settings.libraries, known: operations.pinned)
            try checkProved(fresh)
            // Before anything is applied: a route that cannot be served must leave all as it is.
            let routes = try parts.routes(of: fresh)
            let url = parts.url.withLock { $0 }
            try await operatorThread.run { [self] in
                let planner = try parts.planner(fresh, url)
                parts.warn(planner)
                try parts.granting(operations.applying(planner.plan())) { plan, flip in
                    try parts.fleet.reload(plan, drainSeconds: settings.host.drainSeconds) {
                        flip()
                        deployment.set(fresh)
                        parts.open(fresh, routes)
                    }
                }
                parts.tellOfKeys()
            }
            parts.logger.notice("plugins.d was read again", metadata: ["instances": "\(parts.fleet.statuses.count)"])
            parts.audit(.operating("deployment", "reload", route: "SIGHUP", decision: "signal"))
        } catch {
            parts.audit(
                .operating("deployment", "reload", route: "SIGHUP", decision: "signal"), refused: "plugins.not_applied")
            parts.logger.error(
                "plugins.d was not applied; what served before still serves", metadata: ["error": "\(error)"])
        }
    }

    /// A route may not newly name what failed when it was last brought up, and has not changed since. One that did before
    /// holds nothing back: the instance is tried again, and its routes answer with the reason meanwhile.
    private func checkProved(_ fresh: CompiledDeployment) throws(DeploymentFaults) {
        let found = try parts.selfTests.read()
        let known = Set(deployment.current.unproved(by: found).map(\.sentence))
        let added = fresh.unproved(by: found).filter { $0.code == .routeUnproved && !known.contains($0.sentence) }
        guard added.isEmpty else { throw DeploymentFaults(added) }
    }

    /// The gateway drains, then the pumps, then the instances.
    private func stop() async {
        await parts.gateway.drain()
        await parts.stopPumps()
        do {
            try await operatorThread.run { [self] in parts.fleet.stop(drainSeconds: settings.host.drainSeconds) }
            try await parts.egress.shutdown().get()
        } catch {
            parts.logger.warning("the stop was not clean", metadata: ["error": "\(error)"])
        }
        parts.logger.notice("stopped")
        parts.closeLog()
    }

    private func announce(_ url: String) {
        ReadyReport(url: url, statuses: parts.fleet.statuses, folder: settings.folder).print(
            to: settings.readyDescriptor)
    }
}

/// Runs its closure when the group shuts down.
private struct Stopping: Service {
    let body: @Sendable () async -> Void

    init(_ body: @escaping @Sendable () async -> Void) { self.body = body }

    func run() async throws {
        try await gracefulShutdown()
        await body()
    }
}

/// Ends with the first signal, and the group with it.
private struct Ending: Service {
    let signals: UnixSignalsSequence

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() { return }
    }
}

/// Runs its closure at each signal.
private struct Reloading: Service {
    let signals: UnixSignalsSequence
    let body: @Sendable () async -> Void

    init(signals: UnixSignalsSequence, _ body: @escaping @Sendable () async -> Void) {
        self.signals = signals
        self.body = body
    }

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() { await body() }
    }
}
