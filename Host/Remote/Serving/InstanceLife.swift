// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import FoundationEssentials
internal import NIOPosix
internal import Runtime
internal import Synchronization
internal import TheatreContracts
internal import TheatreManifest

/// The library's instance behind a session: the functions of its table on a thread of their own, and a dispatcher that
/// carries its calls by the same rules as the host's.
final class InstanceLife: Sendable {
    let dispatcher: Dispatcher
    private let plan: InstancePlan
    private let port: InstancePort
    private let housing: InProcessHousing
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let shared = Mutex(Shared())

    private struct Shared {
        var home: (any InstanceHome)?
        nonisolated(unsafe) var table: UnsafeMutablePointer<theatre_instance>?
        var isRetired = false
        var isDeactivated = false
    }

    init(
        _ server: PluginServer, _ create: RemoteCreate, _ forwarder: HostForwarder,
        log: @escaping @Sendable (UInt32, String, String) -> Void
    ) throws(CallError) {
        let file = server.file
        plan = try Self.plan(server, create, forwarder)
        housing = server.housing
        var limits = Dispatcher.Limits()
        // What the host lets its services answer is let through here.
        limits.serviceAnswerSize = SessionClient.frameLimit
        dispatcher = Dispatcher(limits: limits)
        var hooks = InstancePort.Hooks()
        hooks.onLog = { _, level, message, fields in log(level, message, fields) }
        port = dispatcher.makePort(
            InstanceIdentity(
                instance: plan.name, plugin: file.manifest.name, generation: create.generation,
                grants: ResolvedGrants()),
            operations: plan.operations, calls: plan.calls, limits: plan.limits, hooks: hooks)
        dispatcher.install(DispatchTable(ports: [plan.name: port]))
        pool.start()
        do { try dispatcher.startSweeping() } catch {
            throw CallError(.resourceExhausted, "remote.no_thread", "There is no thread for the instance: \(error).")
        }
    }

    private static func plan(
        _ server: PluginServer, _ create: RemoteCreate, _ forwarder: HostForwarder
    ) throws(CallError) -> InstancePlan {
        let file = server.file, manifest = file.manifest
        var environment: HostEnvironment
        do { environment = try HostEnvironment(wire: Array(create.environment)) } catch {
            throw CallError(.invalidArgument, "remote.malformed_create", "The environment cannot be read: \(error).")
        }
        environment.stateFolder = try stateFolder(server, create.instance)
        var limits = InstancePort.Limits()
        limits.maxConcurrency = manifest.maxConcurrency
        let catalog = server.catalog
        let needs = Dictionary(manifest.needs.map { ($0.feature, $0.capability) }) { first, _ in first }
        return InstancePlan(
            name: create.instance, file: file, isCritical: false, configuration: Array(create.configuration),
            environment: environment, grants: ResolvedGrants(),
            operations: manifest.operations.map { PortOperation($0, OperationTraits(of: $0, in: catalog)) },
            calls: manifest.calls.map { call in
                let owner = Manifest.owner(of: call)
                let known = needs[owner].map { "\($0)\(call.dropFirst(owner.count))" } ?? call
                return PortCall(
                    call, .service(forwarder, operation: call), OperationTraits(of: known, in: catalog))
            },
            limits: limits, fingerprint: file.digest, providers: [], controlSeconds: 60)
    }

    /// `STATE/INSTANCE` of this machine, for plugins that ask for one.
    private static func stateFolder(_ server: PluginServer, _ instance: String) throws(CallError) -> String {
        guard server.file.manifest.grants.stateFolder, !server.settings.state.isEmpty else { return "" }
        guard instance.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }),
            !instance.isEmpty
        else {
            throw CallError(.invalidArgument, "remote.malformed_create", "The instance has no name a folder can have.")
        }
        let folder = "\(server.settings.state)/\(instance)"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CallError(.internal, "remote.no_folder", "There is no folder for the instance: \(error).")
        }
        return folder
    }

    // MARK: steps

    /// Runs `body` on the instance's thread.
    private func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T? {
        do { return try await pool.runIfActive { body() } } catch { return nil }
    }

    private static let stopped = CallError(.unavailable, "remote.stopped", "The instance is stopped.")

    func create(_ create: RemoteCreate) async -> CallError? {
        await onThread { [self] in makeInstance(create) } ?? Self.stopped
    }

    private func makeInstance(_ create: RemoteCreate) -> CallError? {
        let home: any InstanceHome
        do throws(LoadError) { home = try housing.home(for: plan) { _ in } } catch {
            return CallError(.failedPrecondition, error.code, "\(error)")
        }
        var instance: UnsafeMutablePointer<theatre_instance>?
        var error = theatre_error()
        error.struct_size = UInt32(MemoryLayout<theatre_error>.size)
        let environment = plan.environment.wireBytes
        let code = borrow([Array(plan.name.utf8), plan.configuration, environment, plan.file.manifestBytes]) { parts in
            var arguments = theatre_create()
            arguments.struct_size = UInt32(MemoryLayout<theatre_create>.size)
            arguments.generation = create.generation
            arguments.instance = parts[0]
            arguments.configuration = parts[1]
            arguments.environment = parts[2]
            arguments.manifest = parts[3]
            return home.create(port.hostTable, &arguments, &instance, &error)
        }
        guard code == THEATRE_OK, let instance else { return CallError(StatusCode(lenient: code), error) }
        do throws(CallError) { try port.attach(UnsafePointer(instance)) } catch { return error }
        shared.withLock { shared in
            shared.home = home
            shared.table = instance
        }
        return nil
    }

    func take(_ step: RemoteStep) async -> CallError? {
        switch step {
        case .activate:
            let failure = await control { $0.pointee.activate }
            if failure == nil { port.open() }
            return failure
        case .selfTest: return await control { $0.pointee.self_test }
        case .deactivate:
            await deactivate()
            return nil
        case .destroy:
            await retire()
            return nil
        default: return CallError(.invalidArgument, "remote.unknown_step", "The server knows no such step.")
        }
    }

    private func control(
        _ function:
            @escaping @Sendable (UnsafeMutablePointer<theatre_instance>) -> (
                @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<theatre_error>?) -> Int32
            )?
    ) async -> CallError? {
        let outcome = await onThread { [self] () -> CallError? in
            guard let table = shared.withLock({ $0.table }) else { return Self.stopped }
            guard let body = function(table) else { return nil }
            var error = theatre_error()
            error.struct_size = UInt32(MemoryLayout<theatre_error>.size)
            let code = body(table.pointee.`self`, &error)
            return code == THEATRE_OK ? nil : CallError(StatusCode(lenient: code), error)
        }
        return outcome ?? Self.stopped
    }

    private func deactivate() async {
        let isFirst = shared.withLock { shared in
            defer { shared.isDeactivated = true }
            return !shared.isDeactivated
        }
        guard isFirst else { return }
        _ = await onThread { [self] in
            guard let table = shared.withLock({ $0.table }) else { return }
            table.pointee.deactivate?(table.pointee.`self`)
        }
    }

    /// Lets no new calls in, and waits for those under way.
    func drain() async {
        port.retire()
        _ = await onThread { [self] in
            let drained = Latch()
            port.drain { drained.open() }
            return drained.wait(seconds: Self.drainSeconds)
        }
    }

    /// Seconds that calls have to end in before the instance is left in memory.
    private static let drainSeconds = 10

    /// Stops and frees it, once.
    func retire() async {
        let isFirst = shared.withLock { shared in
            defer { shared.isRetired = true }
            return !shared.isRetired
        }
        guard isFirst else { return }
        port.retire()
        dispatcher.cancelCalls(servedBy: port)
        await deactivate()
        _ = await onThread { [self] in
            let drained = Latch()
            port.drain { drained.open() }
            guard drained.wait(seconds: Self.drainSeconds) else { return }
            let table = shared.withLock { shared in
                defer { shared.table = nil }
                return shared.table
            }
            guard let table else { return }
            table.pointee.destroy?(table.pointee.`self`)
        }
        dispatcher.stopSweeping()
        do { try await pool.shutdownGracefully() } catch { return }
    }
}
