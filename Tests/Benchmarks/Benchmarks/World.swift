// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Isolation
import Logging
import Registry
import Runtime
import Synchronization
import TheatreContracts
import TheatreManifest

/// The echo plugins, loaded as the host loads plugins, behind a dispatcher with everything on.
final class World: Sendable {
    let deployment: CompiledDeployment
    let dispatcher: Dispatcher
    let spans = SpanCounter()
    private let fleet: Fleet

    private let mode: InstanceMode

    /// Blocks while the instances start.
    init(libraries: String, folder: String, mode: InstanceMode = .inproc) throws {
        self.mode = mode
        deployment = try CompiledDeployment.read(folder: folder, libraries: libraries)
        dispatcher = Dispatcher()
        var logger = Logger(label: "benchmarks")
        logger.logLevel = mode == .isolated ? .critical : .warning
        var crashes = CrashPolicy()
        (crashes.limit, crashes.delays) = (100, [0])
        fleet = Fleet(
            dispatcher: dispatcher, hooks: InstancePort.Hooks(), logger: logger,
            homes: [.isolated: IsolatedHousing(logger: logger)], crashes: crashes)
        let table = deployment.table
        let plans = try table.instances.map(plan)
        try fleet.start(
            Fleet.Plan(instances: plans, closed: []) { RegistryRouting(table: table, ports: $0) })
        try dispatcher.startSweeping()
        dispatcher.export(spansTo: spans, ratio: 1)
    }

    private func plan(_ instance: BoundInstance) throws -> InstancePlan {
        guard let file = deployment.files[instance.declaration.plugin] else {
            throw BenchmarkFailure("\(instance.declaration.plugin) has no library")
        }
        var limits = InstancePort.Limits()
        limits.maxConcurrency = file.manifest.maxConcurrency
        var plan = InstancePlan(
            name: instance.declaration.name, file: file, isCritical: true, configuration: Array("{}".utf8),
            environment: HostEnvironment(), grants: ResolvedGrants(),
            operations: file.manifest.operations.map { PortOperation($0) },
            calls: file.manifest.calls.map {
                PortCall($0, .feature("caller.echo", operation: Self.handle, fallback: false))
            },
            limits: limits, fingerprint: file.digest, providers: [], controlSeconds: 10)
        plan.mode = mode
        return plan
    }

    /// The process an isolated instance runs in now.
    func process(of instance: String) -> pid_t? {
        fleet.statuses.first { $0.instance == instance && $0.state == .ready }?.facts["process"].flatMap { pid_t($0) }
    }

    static let handle = "theatre.http.v1.Handler/Handle"

    func target(_ instance: String) throws -> CallTarget {
        try dispatcher.target(instance: instance, operation: Self.handle)
    }

    /// Replaces an instance by a new generation, of another build where one is given. Blocks.
    func replace(_ instance: String, by build: PluginFile? = nil) throws {
        guard var plan = fleet.plan(of: instance) else { throw BenchmarkFailure("\(instance) does not run") }
        if let build { plan.file = build }
        try fleet.replace(plan, drainSeconds: 5)
    }

    /// Copies of an instance's library that differ at their end: other builds, to the loader and to the host.
    func builds(of instance: String, _ count: Int, in folder: String) throws -> [PluginFile] {
        guard let file = fleet.plan(of: instance)?.file else { throw BenchmarkFailure("\(instance) does not run") }
        return try (1...count).map { number in
            let path = "\(folder)/lib\(file.manifest.name)-\(number).so"
            try Data(file.image.bytes() + [UInt8](repeating: 0, count: number)).write(to: URL(filePath: path))
            return try PluginFile(name: file.manifest.name, path: path)
        }
    }

    func stop() {
        fleet.stop(drainSeconds: 5)
        dispatcher.stopSweeping()
    }
}

/// Takes every span.
final class SpanCounter: SpanExporter {
    let count = Atomic<Int>(0)
    func export(_ spans: [Span]) { count.wrappingAdd(spans.count, ordering: .relaxed) }
}
