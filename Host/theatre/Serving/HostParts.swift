// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Gateway
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
import TheatreContracts
import TheatreManifest
import Transcoding
import Trust

/// What the host is made of, wired once.
final class HostParts: Sendable {
    let settings: HostServer.Settings
    let clock: SystemClock
    let logger: Logger
    let dispatcher: Dispatcher
    let fleet: Fleet
    let gateway: GatewayServer
    let egress: EgressService
    let tokens: SessionTokens
    /// The last lines of every instance.
    let records = InstanceRecords()
    /// What instances with the grant may do with others.
    let plugins = PluginsService()
    private let personalData: PersonalDataService
    private let health: HealthBook
    private let features: FeaturesService
    private let usage: UsageRecorder
    /// Where instances live that run in this process.
    let housing: InProcessHousing
    let url = Mutex("")
    /// What came of it when instances were brought up.
    let selfTests: SelfTests
    private let writer: LogWriter
    private let group: any EventLoopGroup
    let keys: FileKeys
    private let secrets: FileAndEnvironmentSecrets
    private let metrics: MetricsRegistry
    private let services: [String: any HostService]
    private let timers: TimerPump
    private let events: EventPump
    private let jobs: JobPump
    private let retention: RetentionPump
    let auditWriter: AuditWriter
    private let uses: UseCounts
    private let sealer: AuditSealer
    private let storageWatches: StorageWatches
    private let isOpen: OpenFlag

    init(_ deployment: CompiledDeployment, _ settings: HostServer.Settings) throws {
        let host = settings.host
        self.settings = settings
        selfTests = SelfTests(state: host.state)
        clock = SystemClock()
        let clock = clock
        writer = LogWriter()
        let log = HostLog(writer: writer, host: host, clock: clock, records: records)
        logger = log.logger("theatre")
        group = MultiThreadedEventLoopGroup.singleton
        dispatcher = Dispatcher(clock: clock)
        log.generations.ask(dispatcher)
        try dispatcher.startSweeping()
        secrets = FileAndEnvironmentSecrets(folder: "\(host.state)/\(host.secretsFolder)")
        let stored = VaultSecrets(
            beside: StoredSecrets(
                beside: secrets, calls: dispatcher, storage: host.storage, keySource: host.keySource,
                monotonic: { clock.monotonic() }),
            calls: dispatcher, barred: [host.storage, host.keySource], monotonic: { clock.monotonic() })
        keys = FileKeys(
            folder: "\(host.state)/\(host.keysFolder)", generate: host.generatesKeys,
            clock: { Int64(clock.wall() / 1_000_000) })
        tokens = SessionTokens(keys: keys, settings: host, clock: clock)
        let time = LoopClock(
            loop: group.next(), wall: { Int64(clock.wall() / 1_000_000) }, monotonic: { clock.monotonic() })
        timers = TimerPump(calls: dispatcher, storage: host.storage, clock: time, log: log.logger("timers"))
        let worker = NodeName.worker(state: host.state)
        events = EventPump(
            calls: dispatcher, storage: host.storage, clock: time, holder: worker.node, log: log.logger("events"))
        jobs = JobPump(
            calls: dispatcher, storage: host.storage, keySource: host.keySource, clock: time, worker: worker,
            log: log.logger("jobs"))
        retention = RetentionPump(
            calls: dispatcher, storage: host.storage, periods: RetentionPeriods(host), keys: keys,
            auditKey: host.auditKey, clock: time, log: log.logger("retention"))
        auditWriter = AuditWriter(calls: dispatcher, storage: host.storage, clock: time, log: log.logger("audit"))
        uses = UseCounts(writer: auditWriter, clock: time, log: log.logger("audit"))
        do throws(CallError) {
            egress = try EgressService(
                group: group, secrets: stored, uses: uses, monotonic: { clock.monotonic() },
                authorities: host.egress.authorities)
        } catch {
            throw ServeFailure("\(error.reason): \(error.message)")
        }
        sealer = AuditSealer(
            calls: dispatcher, storage: host.storage, keys: keys, key: host.auditKey, clock: time, holder: worker.node,
            log: log.logger("audit"))
        let watches = StorageWatches(calls: dispatcher, clock: time, log: log.logger("storage"))
        storageWatches = watches
        let own = MetricsService()
        let healthLog = log.logger("health")
        health = HealthBook(clock: clock) { healthLog.tell($0) }
        features = FeaturesService(book: health)
        usage = UsageRecorder(calls: dispatcher, storage: host.storage, clock: time, log: log.logger("usage"))
        personalData = PersonalDataService(calls: dispatcher)
        let personalKeys = PersonalKeys(
            calls: dispatcher, storage: host.storage, keySource: host.keySource, clock: time)
        let all: [any HostService] = [
            egress, KeysService(source: keys, secrets: stored, uses: uses), SecretsService(source: stored, uses: uses),
            TimersService(calls: dispatcher, storage: host.storage, pump: timers), own, plugins,
            AuditService(calls: dispatcher, storage: host.storage, keys: keys, key: host.auditKey),
            SecretStoreService(
                calls: dispatcher, storage: host.storage, keySource: host.keySource,
                now: { Int64(clock.wall() / 1_000_000) }),
            PersonalKeysService(keys: personalKeys), personalData, features,
            CostsService(calls: dispatcher, storage: host.storage, now: { Int64(clock.wall() / 1_000_000) }),
        ]
        services = Dictionary(all.map { ($0.contract, $0) }) { first, _ in first }
        isOpen = OpenFlag()
        housing = InProcessHousing(
            residentLimit: host.residentBuilds, probe: Self.probe(host, isServing: isOpen, folder: settings.folder))
        fleet = Fleet(
            dispatcher: dispatcher, hooks: log.hooks, logger: log.logger("fleet"),
            homes: [
                .inproc: housing, .isolated: IsolatedHousing(logger: log.logger("isolation")),
                .remote: RemoteHousing(logger: log.logger("remote")),
            ],
            crashes: host.isolation.crashes)
        metrics = MetricsRegistry()
        for provider in [
            egress.metrics, timers.metrics, events.metrics, jobs.metrics, retention.metrics, auditWriter.metrics,
            sealer.metrics, usage.metrics, own.metrics, writer.metrics,
            ProcessMetrics.families,
        ] {
            metrics.register(provider)
        }
        let dispatcher = dispatcher
        metrics.register { DispatchMetrics.families(dispatcher.snapshot()) }
        let health = health
        metrics.register { HealthMetrics.families(health.reports()) }
        let housing = housing
        metrics.register { [DispatchMetrics.builds(housing.images)] }
        gateway = try GatewayServer(
            configuration: GatewayConfiguration(host, verifiesAnswers: settings.verifiesAnswers), table: .empty,
            calls: dispatcher,
            services: Self.gatewayServices(
                host, clock: clock, dispatcher: dispatcher, tokens: tokens, audit: auditWriter, metrics: metrics,
                isOpen: isOpen, watches: watches),
            group: group, log: log.logger("gateway"))
    }

    /// Binds the listener and tells where clients reach it.
    func listen() async throws -> String {
        let address: SocketAddress
        do { address = try await gateway.start() } catch {
            throw ServeFailure(
                "\(settings.host.host):\(settings.host.port) cannot be listened on: \(error); choose another with --port"
            )
        }
        let scheme = settings.host.tls == nil ? "http" : "https"
        let own = "\(scheme)://\(settings.host.host):\(address.port ?? settings.host.port)"
        egress.setOwnURL { own }
        let url = settings.host.publicURL.isEmpty ? own : settings.host.publicURL
        self.url.withLock { $0 = url }
        return url
    }

    /// Reads what a plan's instances are granted, lends it to those that are brought up, and gives it to all once the
    /// plan is applied. Where it is not applied, what served before goes on with what it had.
    ///
    /// - Parameter body: applies the plan it is given; calls what it is given at the moment of the flip.
    func granting<Result>(
        _ plan: Fleet.Plan, _ body: (_ plan: Fleet.Plan, _ flip: () -> Void) throws -> Result
    ) throws -> Result {
        let granted = GrantedValues(plan, keys, secrets, settings.host)
        let verifier = try tokens.make(with: granted.keys)
        let auditKey = try self.auditKey()
        let serving = Dictionary(
            plan.instances.map { ($0.name, dispatcher.generation(of: $0.name) ?? 0) }
        ) { first, _ in first }
        secrets.stage(granted.secrets) { $0.generation > serving[$0.instance] ?? .max }
        defer { secrets.discard() }
        keys.add(granted.keys)
        return try body(granted.plan) {
            keys.replace(granted.keys.merging(auditKey) { $1 })
            secrets.commit(keeping: granted.unread)
            tokens.use(verifier)
        }
    }

    /// The key that signs the audit log, read anew, and made where the deployment says so.
    private func auditKey() throws -> [String: [KeyVersion]] {
        let name = settings.host.auditKey
        do throws(CallError) {
            return [name: try keys.load(ResolvedGrants.KeyGrant(key: name, algorithm: "EdDSA", also: ["ES256"]))]
        } catch {
            throw ServeFailure("the key that signs the audit log cannot be had: \(error.reason): \(error.message)")
        }
    }

    /// How the deployment is to run.
    ///
    /// - Throws: `TrustFailure` where the lock cannot be understood.
    func planner(_ deployment: CompiledDeployment, _ url: String) throws -> DeploymentPlanner {
        DeploymentPlanner(
            deployment: deployment, services: services, state: settings.host.state, publicURL: url,
            version: HostVersion.current, judge: try TrustPolicy(settings.host.trust, folder: settings.folder),
            health: health, meter: usage)
    }

    /// Says what is not as it should be with libraries that are loaded all the same.
    func warn(_ planner: DeploymentPlanner) {
        for warning in planner.warnings {
            logger.warning("a library is not trusted", metadata: ["error": "\(warning)"])
        }
    }

    /// Brings the host's own tables up to date and starts what works on them.
    func prepareStorage() throws {
        guard fleet.port(settings.host.storage) != nil else { return }
        let request = SQLMigrateRequest.with { $0.migrations = HostSchema.migrations }
        do throws(CallError) {
            let _: SQLMigrateResponse = try dispatcher.wait(
                instance: settings.host.storage, operation: "theatre.sql.v1.Database/Migrate", request: request)
        } catch {
            throw ServeFailure("the host's tables cannot be made in \(settings.host.storage): \(error)")
        }
        timers.start()
        retention.start()
        sealer.start()
    }

    /// The routes of a deployment, made before it is applied.
    ///
    /// - Throws: `DeploymentFaults` for those that cannot be served.
    func routes(of deployment: CompiledDeployment) throws(DeploymentFaults) -> GatewayTable {
        // A class that 00-host.yaml has since the start is not bounded yet.
        let fresh = Set(deployment.host.rates.keys).subtracting(settings.host.rates.keys)
        let faults = deployment.table.instances.flatMap { instance in
            instance.plugin.manifest.routes.filter { fresh.contains($0.rate) }.map { route in
                Fault(
                    .httpRouteInvalid, at: instance.declaration.source,
                    "\(route.method) \(route.path) of instance \"\(instance.declaration.name)\" is of rate class "
                        + "\"\(route.rate)\", which was added after the host started.",
                    fix: "Restart the host: rates take one.")
            }
        }
        guard faults.isEmpty else { throw DeploymentFaults(faults) }
        return try GatewayTable.make(deployment, calls: dispatcher, log: logger)
    }

    /// Opens the routes of a deployment and delivers events to its consumers.
    func open(_ deployment: CompiledDeployment, _ routes: GatewayTable) {
        gateway.replace(routes)
        deliver(deployment)
    }

    /// Keeps what came of bringing the instances up, watches its storages, and delivers events and jobs to those that serve.
    func deliver(_ deployment: CompiledDeployment) {
        do { try selfTests.write(fleet.statuses, of: deployment, at: Int64(clock.wall() / 1_000_000)) } catch {
            logger.warning("what self-tests found cannot be kept", metadata: ["error": "\(error)"])
        }
        features.use(deployment.table)
        personalData.ask(
            deployment.table.instances.filter { instance in
                instance.plugin.manifest.provides.contains { $0.capability == PersonalDataService.capability }
            }.map(\.declaration.name))
        let serving = Set(fleet.statuses.filter { $0.state == .ready }.map(\.instance))
        let instances = deployment.table.instances.filter { serving.contains($0.declaration.name) }
        events.serve(Set(instances.compactMap(EventConsumer.init(_:))))
        jobs.serve(Set(instances.flatMap(JobQueue.queues(of:)) + hostQueues(serving)))
        storageWatches.watch(storages(of: deployment))
        isOpen.set()
    }

    /// What the host itself works off: where secrets can be stored at all.
    private func hostQueues(_ serving: Set<String>) -> [JobQueue] {
        let host = settings.host
        guard serving.isSuperset(of: [host.storage, host.keySource]) else { return [] }
        do throws(CallError) {
            _ = try dispatcher.target(instance: host.storage, operation: "theatre.jobs.v1.Queue/Lease")
            return [JobPump.hostQueue]
        } catch {
            return []
        }
    }

    /// The host's own storage, where there is one, and the stores of blobs that can be asked how they fare.
    private func storages(of deployment: CompiledDeployment) -> Set<WatchedStorage> {
        var storages = deployment.table.instances.filter { instance in
            instance.plugin.manifest.provides.contains { $0.capability == WatchedStorage.blobCapability }
        }.map { WatchedStorage($0.declaration.name, .blobs) }
        if fleet.port(settings.host.storage) != nil { storages.append(WatchedStorage(settings.host.storage, .sql)) }
        return Set(storages)
    }

    /// Lets a test move the clock, where it was asked for.
    func serveTestClock() async throws -> TestClockSocket? {
        guard let path = settings.testClock else { return nil }
        let timers = timers, jobs = jobs, events = events, retention = retention
        return try await TestClockSocket(path: path, clock: clock) {
            timers.look()
            jobs.look()
            events.look()
            retention.look()
        }
    }

    /// Tells the gateway of sessions that were revoked and of roles that changed.
    var gatewayEvents: GatewayEvents {
        let gateway = gateway
        return GatewayEvents(
            dispatcher: dispatcher, storage: settings.host.storage, logger: logger,
            revoke: { gateway.revoke(session: $0) }, forgetStandings: { gateway.forgetStandings() })
    }

    /// No more timers, events and jobs; what is under way ends within the drain time, or is given back.
    func stopPumps() async {
        isOpen.clear()
        retention.stop()
        let drain = Int64(settings.host.drainSeconds) * 1000
        let jobs = jobs, events = events
        async let jobsStopped: Void = withCheckedContinuation { done in jobs.stop(drain: drain) { done.resume() } }
        async let eventsStopped: Void = withCheckedContinuation { done in events.stop(drain: drain) { done.resume() } }
        _ = await (jobsStopped, eventsStopped)
        await withCheckedContinuation { done in timers.stop { done.resume() } }
        await withCheckedContinuation { done in storageWatches.stop { done.resume() } }
        uses.flush()
        await withCheckedContinuation { done in usage.stop { done.resume() } }
        await withCheckedContinuation { done in auditWriter.stop { done.resume() } }
        await withCheckedContinuation { done in sealer.stop { done.resume() } }
    }

    /// Writes what is left of the log.
    func closeLog() {
        do { try writer.close() } catch { printError("the log could not be written to its end: \(error)") }
    }

    /// Which libraries are tried in a child first. Nothing is served yet at a start, so that a crash there harms nobody
    /// and the start stays short; once the host serves, it would.
    private static func probe(
        _ host: HostConfiguration, isServing: OpenFlag, folder: String
    ) -> InProcessHousing.Probe {
        let probe = LibraryProbe(
            program: DeploymentOptions.ownPath, folder: "\(host.state)/probes", version: HostVersion.current,
            seconds: host.trust.probeSeconds)
        let trust = host.trust
        return { plan throws(LoadError) in
            switch trust.probe {
            case "never": return
            case "serving": guard isServing.isSet else { return }
            case "unlocked":
                let policy = try? TrustPolicy(trust, folder: folder)
                guard isServing.isSet || policy?.isLocked(plan.file) != true else { return }
            default: break
            }
            try probe.check(plan)
        }
    }

    private static func gatewayServices(
        _ host: HostConfiguration, clock: SystemClock, dispatcher: Dispatcher,
        tokens: SessionTokens, audit: AuditWriter, metrics: MetricsRegistry, isOpen: OpenFlag, watches: StorageWatches
    ) -> GatewayServices {
        var services = GatewayServices()
        services.now = { Int64(clock.wall() / 1_000_000) }
        services.tokens = tokens
        services.answers = SQLAnswerStore(calls: dispatcher, instance: { host.storage })
        services.events = LogEventFeed(calls: dispatcher, instance: { host.storage })
        services.audit = { record in
            audit.append(
                at: record.at, context: record.context, outcome: record.outcome, reason: record.reason,
                count: UInt32(record.count), read: record.read)
        }
        services.isReady = { isOpen.isSet }
        services.impediment = { watches.reason }
        services.metrics = { metrics.text() }
        return services
    }
}

/// True while the host serves.
final class OpenFlag: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
    func clear() { flag.store(false, ordering: .releasing) }
}
