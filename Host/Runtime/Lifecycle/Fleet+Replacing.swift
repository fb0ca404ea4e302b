// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Synchronization
internal import TheatreManifest

extension Fleet {
    /// What a replacement changed.
    public struct Replacement: Sendable, Hashable {
        /// Name in `plugins.d`.
        public var instance: String
        /// The generation that served; 0 where none did.
        public var from: UInt32
        /// The generation that serves.
        public var to: UInt32
        /// Whether state of the one was handed to the other.
        public var handedOver: Bool
    }

    /// How the instances find each other, from the ports that will serve.
    public typealias MakeRouting = @Sendable ([String: InstancePort]) -> any Routing

    /// Replaces an instance, or starts one that does not run: creates it as a new generation beside the one that serves,
    /// activates it, lets it test itself, hands state over, and flips once. The old one is drained and retired beside
    /// this. Any fault leaves the old one serving.
    ///
    /// - Parameters:
    ///   - plan: what is to run under the plan's name.
    ///   - routing: how calls find their way from then on; nil for as before.
    ///   - expected: the generation that must run still; nil for any.
    ///   - handover: state of the old generation is taken, where both provide `theatre.host.v1.Handover`.
    ///   - flipped: called once the new generation serves.
    @discardableResult
    public func replace(
        _ plan: InstancePlan, expected: UInt32? = nil, routing: MakeRouting? = nil, handover: Bool = true,
        drainSeconds: Int,
        flipped: () -> Void = {}
    ) throws(LoadError) -> Replacement {
        try replace(
            plan, where: { expected == nil || $0.running[plan.name]?.generation == expected }, routing: routing,
            handover: handover, drainSeconds: drainSeconds, flipped: flipped)
    }

    /// - Parameter isDue: whether what runs is still what is to be replaced.
    func replace(
        _ plan: InstancePlan, where isDue: (Shared) -> Bool, routing: MakeRouting? = nil, handover: Bool,
        drainSeconds: Int, flipped: () -> Void = {}
    ) throws(LoadError) -> Replacement {
        try changing.withLock { _ throws(LoadError) in
            guard shared.withLock({ isDue($0) }) else {
                throw LoadError(
                    plugin: plan.name, code: "instance.replaced", expected: "the same generation running still",
                    found: "another, or none", fix: "nothing is to be done")
            }
            let fresh = try create(plan)
            let before = shared.withLock { $0 }
            let old = before.running[plan.name]
            let routing = routing ?? before.routing
            let next = before.running.merging([plan.name: fresh]) { $1 }
            var failed = before.failed
            failed[plan.name] = nil
            let table = table(next, failed, routing)
            fresh.port.preview(table)
            let handedOver: Bool
            do throws(LoadError) {
                try fresh.prepare()
                handedOver = handover ? try handOver(from: old, to: fresh) : false
            } catch {
                retire(fresh, drainSeconds: 1)
                throw error
            }
            fresh.open()
            flip(to: table, next, failed, routing, replacing: old)
            fresh.port.preview(nil)
            if before.failed[plan.name] != nil { shared.withLock { $0.crashes[plan.name]?.forgive() } }
            flipped()
            retireBeside(old.map { [$0] } ?? [], drainSeconds: drainSeconds)
            let done = Replacement(
                instance: plan.name, from: old?.generation ?? 0, to: fresh.generation, handedOver: handedOver)
            logger.notice(
                "instance was replaced",
                metadata: Self.metadata(fresh).merging([
                    "from": "\(done.from)", "digest": "\(plan.file.digest.prefix(12))",
                    "version": "\(plan.file.manifest.version)",
                ]) { $1 })
            return done
        }
    }

    /// Takes an instance out of service: its routes answer 503 with the reason. Nothing is done where it does not run.
    ///
    /// - Parameters:
    ///   - state: what it is in from now on: disabled, or quarantined with the reason.
    ///   - note: why it is disabled.
    ///   - atOnce: also calls that began before are refused; else they are let end.
    ///   - flipped: called once it is out of service.
    public func close(
        _ instance: String, as state: InstanceState, note: String = "", atOnce: Bool, drainSeconds: Int,
        flipped: () -> Void = {}
    ) {
        changing.withLock { _ in
            let before = shared.withLock { $0 }
            var failed = before.failed
            let old = before.running[instance]
            guard var status = old.map(Self.status) ?? failed[instance]?.status else { return }
            status.state = state
            status.note = note
            failed[instance] = ClosedInstance(
                status, fingerprint: old?.plan.fingerprint ?? failed[instance]?.fingerprint ?? "", isDeliberate: true)
            if atOnce { old?.port.close(status.reason ?? "It was closed.") }
            var next = before.running
            next[instance] = nil
            flip(to: table(next, failed, before.routing), next, failed, before.routing, replacing: old)
            flipped()
            retireBeside(old.map { [$0] } ?? [], drainSeconds: drainSeconds)
        }
    }

    /// What a running instance was made from; nil where it does not run.
    public func plan(of instance: String) -> InstancePlan? { shared.withLock { $0.running[instance]?.plan } }

    private func flip(
        to table: DispatchTable, _ running: [String: RunningInstance], _ failed: [String: ClosedInstance],
        _ routing: @escaping MakeRouting, replacing old: RunningInstance?
    ) {
        dispatcher.install(table, replacing: old.map { [$0.port] } ?? [])
        shared.withLock { shared in
            shared.running = running
            shared.failed = failed
            shared.routing = routing
        }
    }

    func table(
        _ running: [String: RunningInstance], _ failed: [String: ClosedInstance], _ routing: MakeRouting
    ) -> DispatchTable {
        let ports = running.mapValues(\.port)
        return DispatchTable(
            ports: ports, closed: failed.mapValues { $0.status.reason ?? "It does not serve." },
            routing: routing(ports))
    }
}

/// Before the first start.
final class Unrouted: Routing {
    func resolve(_ query: borrowing RouteQuery) -> Resolution { .unavailable(Dispatcher.unrouted(query.feature)) }
}
