// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Logging
internal import Synchronization
internal import TheatreManifest

/// All running instances, and the one way to change them: bring up what is new beside what serves, then flip once.
///
/// Its functions block: call them from one thread of your own, never from the shared pool or an event loop.
public final class Fleet: Sendable {
    let dispatcher: Dispatcher
    let hooks: InstancePort.Hooks
    let logger: Logger
    let homes: [InstanceMode: any InstanceHousing]
    let crashPolicy: CrashPolicy
    let shared = Mutex(Shared())
    /// Held by whoever changes what runs, from what it looks at until the flip.
    let changing = Mutex(())

    struct Shared {
        var running: [String: RunningInstance] = [:]
        var failed: [String: ClosedInstance] = [:]
        var generations: [String: UInt32] = [:]
        /// Makes the routing of what runs.
        var routing: @Sendable ([String: InstancePort]) -> any Routing = { _ in Unrouted() }
        /// By instance.
        var crashes: [String: CrashHistory] = [:]
        /// Replaced generations that are not retired yet.
        var retiring: [Latch] = []
    }

    /// What to run, and how calls find their way.
    public struct Plan: Sendable {
        /// Instances to run.
        public var instances: [InstancePlan]
        /// Instances that are configured but cannot run.
        public var closed: [ClosedInstance]
        /// Makes the routing for the ports that will serve.
        public var routing: @Sendable ([String: InstancePort]) -> any Routing

        /// A plan.
        public init(
            instances: [InstancePlan], closed: [ClosedInstance],
            routing: @escaping @Sendable ([String: InstancePort]) -> any Routing
        ) {
            self.instances = instances
            self.closed = closed
            self.routing = routing
        }
    }

    /// Nothing runs yet.
    ///
    /// - Parameters:
    ///   - homes: where instances run that do not run in this process, by mode.
    ///   - crashes: when one that crashed is started again.
    public init(
        dispatcher: Dispatcher, hooks: InstancePort.Hooks, logger: Logger,
        homes: [InstanceMode: any InstanceHousing] = [:], crashes: CrashPolicy = CrashPolicy()
    ) {
        crashPolicy = crashes
        self.homes = homes.merging([.inproc: InProcessHousing()]) { given, _ in given }
        self.dispatcher = dispatcher
        self.hooks = hooks
        self.logger = logger
    }

    /// Starts everything. An instance that fails closes its own routes; a critical one stops the start.
    public func start(_ plan: Plan) throws(LoadError) {
        try changing.withLock { _ throws(LoadError) in _ = try bringUp(plan, tolerant: true) }
        awaitServers(of: plan)
    }

    /// Brings up what changed beside what serves and flips once. Any fault of an instance that is new or changed leaves
    /// what serves as it was, be it of its library, in create or in activate. One that had failed before and did not
    /// change is tried again, and stays failed where it fails again.
    ///
    /// - Parameter flipped: called once the new instances serve. The old ones are drained and retired beside it.
    public func reload(_ plan: Plan, drainSeconds: Int, flipped: () throws -> Void) throws {
        try changing.withLock { _ in
            let old = try bringUp(plan, tolerant: false)
            defer { retireBeside(old, drainSeconds: drainSeconds) }
            try flipped()
        }
        awaitServers(of: plan)
    }

    /// Stops everything, dependants before their providers.
    public func stop(drainSeconds: Int) {
        let (running, retiring) = changing.withLock { _ in
            shared.withLock { shared in
                defer { (shared.running, shared.failed, shared.retiring) = ([:], [:], []) }
                return (shared.running, shared.retiring)
            }
        }
        // Theirs is the same time to drain, and it began before.
        for latch in retiring { latch.wait() }
        let order = InstancePlan.inOrderOfActivation(running.values.map(\.plan)).reversed()
        for plan in order {
            guard let instance = running[plan.name] else { continue }
            retire(instance, drainSeconds: drainSeconds)
        }
    }

    /// Every instance, by name.
    public var statuses: [InstanceStatus] {
        shared.withLock { shared in
            (shared.running.values.map(Self.status) + shared.failed.values.map(\.status)).map { status in
                var status = status
                if let crashes = shared.crashes[status.instance] { status.facts.merge(crashes.facts) { $1 } }
                return status
            }.sorted { $0.instance < $1.instance }
        }
    }

    /// The port that serves a name, or nil.
    public func port(_ instance: String) -> InstancePort? {
        shared.withLock { $0.running[instance]?.port }
    }

    /// Creates, activates and flips; returns what was replaced.
    private func bringUp(_ plan: Plan, tolerant: Bool) throws(LoadError) -> [RunningInstance] {
        let failedBefore = shared.withLock { $0.failed }
        for closed in plan.closed {
            guard let error = closed.error else { continue }
            let isKnown = failedBefore[closed.status.instance]?.isSame(as: closed) ?? false
            guard !closed.status.isCritical, tolerant || isKnown else { throw error }
        }
        var failed = Dictionary(plan.closed.map { ($0.status.instance, $0) }) { first, _ in first }
        var next: [String: RunningInstance] = [:]
        var fresh: [RunningInstance] = []
        let before = shared.withLock { $0.running }
        do throws(LoadError) {
            for instance in InstancePlan.inOrderOfActivation(plan.instances) {
                if let kept = before[instance.name], kept.plan.fingerprint == instance.fingerprint, kept.state == .ready
                {
                    next[instance.name] = kept
                    continue
                }
                do throws(LoadError) {
                    let made = try create(instance)
                    next[instance.name] = made
                    fresh.append(made)
                } catch {
                    failed[instance.name] = try tolerate(error, instance, tolerant, failedBefore)
                }
            }
            let table = dispatchTable(next, failed, plan)
            for instance in fresh { instance.port.preview(table) }
            for instance in fresh {
                do throws(LoadError) {
                    try instance.prepare()
                    if try handOver(from: before[instance.plan.name], to: instance) {
                        logger.info("state was handed over", metadata: Self.metadata(instance))
                    }
                    instance.open()
                    logger.debug("instance is ready", metadata: Self.metadata(instance))
                } catch {
                    next[instance.plan.name] = nil
                    failed[instance.plan.name] = try tolerate(error, instance.plan, tolerant, failedBefore)
                }
            }
        } catch {
            for instance in fresh.reversed() { retire(instance, drainSeconds: 1) }
            throw error
        }
        let old = before.filter { next[$0.key] !== $0.value }.map(\.value)
        dispatcher.install(dispatchTable(next, failed, plan), replacing: old.map(\.port))
        for instance in fresh { instance.port.preview(nil) }
        let serving = next, closed = failed
        shared.withLock { shared in
            shared.running = serving
            shared.failed = closed
            shared.routing = plan.routing
        }
        return old
    }

    func create(_ plan: InstancePlan) throws(LoadError) -> RunningInstance {
        guard let housing = homes[plan.mode] else {
            throw LoadError(
                plugin: plan.name, code: "mode.unsupported", expected: "a mode this program runs instances in",
                found: plan.mode.rawValue,
                fix: "set mode to \(homes.keys.map(\.rawValue).sorted().joined(separator: " or "))")
        }
        let relay = EndRelay()
        let home = try housing.home(for: plan) { relay.tell($0) }
        let generation = shared.withLock { shared in
            shared.generations[plan.name, default: 0] += 1
            return shared.generations[plan.name, default: 1]
        }
        let instance = RunningInstance(plan, generation: generation, home: home, dispatcher: dispatcher, hooks: hooks)
        relay.setHandler { [weak self, weak instance] end in
            if let self, let instance { self.crashed(instance, end) }
        }
        try instance.create()
        return instance
    }

    private func tolerate(
        _ error: LoadError, _ plan: InstancePlan, _ tolerant: Bool, _ failedBefore: [String: ClosedInstance]
    ) throws(LoadError) -> ClosedInstance {
        let closed = ClosedInstance(plan, error)
        // A server that was there before and is away now holds nothing back either.
        let wasServed = shared.withLock { $0.running[plan.name]?.plan.fingerprint == plan.fingerprint }
        let isKnown = failedBefore[plan.name]?.isSame(as: closed) ?? (error.isPassing && wasServed)
        guard !plan.isCritical, tolerant || isKnown else { throw error }
        logger.error(
            "instance failed; its routes answer 503", metadata: ["instance": "\(plan.name)", "error": "\(error)"])
        return closed
    }

    private func dispatchTable(
        _ instances: [String: RunningInstance], _ failed: [String: ClosedInstance], _ plan: Plan
    ) -> DispatchTable { table(instances, failed, plan.routing) }

    /// Refuses new calls, waits for those that are under way, stops the instance.
    func retire(_ instance: RunningInstance, drainSeconds: Int) {
        instance.port.retire()
        let drained = Latch()
        instance.port.drain { drained.open() }
        let isDrained = drained.wait(seconds: drainSeconds)
        if !isDrained {
            logger.warning(
                "instance did not drain in time; it stays in memory",
                metadata: Self.metadata(instance).merging(["calls": "\(instance.port.callsOutstanding)"]) { $1 })
        }
        instance.retire(drained: isDrained)
    }

    static func metadata(_ instance: RunningInstance) -> Logger.Metadata {
        ["instance": "\(instance.plan.name)", "generation": "\(instance.generation)"]
    }

    static func status(_ instance: RunningInstance) -> InstanceStatus {
        let manifest = instance.plan.file.manifest
        var state = instance.state
        if state == .ready, let refusal = instance.port.refusal, refusal.reason == "instance.quarantined" {
            state = .quarantined(
                LoadError(
                    plugin: "\(instance.plan.name) (\(manifest.name))", code: refusal.reason,
                    expected: "an instance that ends its calls", found: refusal.message,
                    fix: "see its log, then `theatre plugins release \(instance.plan.name)`"))
        }
        if state == .ready, let refusal = instance.refusal {
            state = .quarantined(
                LoadError(
                    plugin: "\(instance.plan.name) (\(manifest.name))", code: refusal.reason,
                    expected: "an instance that takes calls", found: refusal.message,
                    fix: "nothing here: it serves again as soon as its server says so"))
        }
        var status = InstanceStatus(
            instance: instance.plan.name, plugin: manifest.name, version: manifest.version,
            mode: instance.plan.mode.rawValue, generation: instance.generation, state: state,
            capabilities: manifest.provides.map(\.capability), digest: instance.plan.file.digest,
            isCritical: instance.plan.isCritical)
        status.facts = instance.facts
        return status
    }
}
