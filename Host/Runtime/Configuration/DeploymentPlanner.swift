// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import JSONSchema
internal import Registry
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

/// Turns a proved deployment into what is to run.
public struct DeploymentPlanner {
    private let deployment: CompiledDeployment
    private let services: [String: any HostService]
    private let state: String
    private let publicURL: String
    private let version: String
    private let judge: (any LibraryJudging)?
    private let health: HealthBook?
    private let meter: (any CallMeter)?

    /// A planner for a deployment.
    ///
    /// - Parameters:
    ///   - services: by contract.
    ///   - state: folder for everything that survives.
    ///   - publicURL: where clients reach the deployment.
    ///   - version: the host's.
    ///   - judge: of libraries; nil where they were judged before.
    ///   - health: where it is kept how profiles are that stand for somebody outside; nil where nobody watches them.
    ///   - meter: told what calls to them used.
    public init(
        deployment: CompiledDeployment, services: [String: any HostService], state: String, publicURL: String,
        version: String, judge: (any LibraryJudging)? = nil, health: HealthBook? = nil,
        meter: (any CallMeter)? = nil
    ) {
        self.deployment = deployment
        self.services = services
        self.state = state
        self.publicURL = publicURL
        self.version = version
        self.judge = judge
        self.health = health
        self.meter = meter
    }

    /// Instances to run and those that cannot.
    public func plan() -> Fleet.Plan {
        var plans: [InstancePlan] = []
        var closed = disabled + broken
        for instance in deployment.table.instances {
            guard let file = deployment.files[instance.declaration.plugin] else { continue }
            do throws(LoadError) {
                if let fault = file.fault { throw fault }
                if let finding = judge?.findings(instance.declaration, file).first, finding.refuses {
                    throw finding.error
                }
                plans.append(try plan(instance, file))
            } catch {
                closed.append(Self.closed(instance.declaration, file, .quarantined(error)))
            }
        }
        let table = deployment.table, health = health, meter = meter
        return Fleet.Plan(instances: plans, closed: closed) {
            RegistryRouting(table: table, ports: $0, health: health, meter: meter)
        }
    }

    /// What is to be said of libraries that are loaded all the same.
    public var warnings: [LoadError] {
        deployment.table.instances.flatMap { instance -> [LoadError] in
            guard let judge, let file = deployment.files[instance.declaration.plugin] else { return [] }
            return judge.findings(instance.declaration, file).filter { !$0.refuses }.map(\.error)
        }
    }

    private func plan(_ instance: BoundInstance, _ file: PluginFile) throws(LoadError) -> InstancePlan {
        let declaration = instance.declaration
        let configuration = try self.configuration(declaration, file)
        let grants = self.grants(declaration, file.manifest)
        let environment = try self.environment(declaration, file.manifest)
        var limits = InstancePort.Limits()
        limits.maxConcurrency = file.manifest.maxConcurrency
        var plan = InstancePlan(
            name: declaration.name, file: file, isCritical: declaration.critical, configuration: configuration,
            environment: environment, grants: grants, operations: operations(file.manifest),
            calls: calls(file.manifest),
            limits: limits,
            fingerprint:
                "\(declaration.mode) \(file.digest) \(String(decoding: configuration, as: UTF8.self)) \(grants) \(environment.textFormatString())",
            providers: providers(file.manifest), controlSeconds: deployment.host.controlSeconds)
        plan.mode = InstanceMode(rawValue: declaration.mode) ?? .inproc
        if plan.mode == .isolated {
            plan.sandbox = sandbox(declaration)
            plan.fingerprint += " \(plan.sandbox)"
        }
        if plan.mode == .remote {
            plan.remote = declaration.remote
            plan.isConfigured = declaration.config != .object([:])
            plan.fingerprint += " \(String(describing: plan.remote))"
        }
        return plan
    }

    /// What its own file says, else what the host's does.
    private func sandbox(_ declaration: InstanceDeclaration) -> SandboxPlan {
        let own = declaration.isolation, host = deployment.host.isolation
        var sandbox = SandboxPlan()
        sandbox.isStrict = (own.requireSandbox ?? host.requireSandbox) == "strict"
        sandbox.memory = UInt64(own.memory ?? host.memory) << 20
        sandbox.threads = UInt64(own.threads ?? host.threads)
        sandbox.writesStack = own.stack
        sandbox.silence = UInt64(host.hangSeconds) * 1000
        sandbox.files = declaration.grants.files.map { .init(path: $0.path, isWritable: $0.isWritable) }
        sandbox.connect = declaration.grants.connect.map { .init(host: $0.host, port: $0.port ?? 443) }
        return sandbox
    }

    private func configuration(_ declaration: InstanceDeclaration, _ file: PluginFile) throws(LoadError) -> [UInt8] {
        do {
            let filled = try JSONSchema(file.manifest.configuration).applyingDefaults(to: declaration.config)
            return [UInt8](try filled.json())
        } catch {
            throw LoadError(
                plugin: declaration.name, code: "plugin.bad_schema",
                expected: "a configuration schema this host can read",
                found: "\(error)", fix: "correct `configuration` in plugin.json")
        }
    }

    /// Each instance with a folder gets `STATE/INSTANCE`.
    private func environment(_ declaration: InstanceDeclaration, _ manifest: Manifest) throws(LoadError)
        -> HostEnvironment
    {
        var environment = HostEnvironment()
        environment.publicURL = publicURL
        environment.hostVersion = version
        environment.development = deployment.host.isDevelopment
        let features = Set(deployment.table.unroutedFeatures)
        environment.unrouted = manifest.needs.map(\.feature).filter(features.contains)
        // A remote instance has the folder its server gives it.
        guard manifest.grants.stateFolder, declaration.grants.stateFolder, declaration.mode != "remote" else {
            return environment
        }
        let folder = "\(state)/\(declaration.name)"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw LoadError(
                plugin: declaration.name, code: "instance.no_folder", expected: "a folder at \(folder)",
                found: "\(error)",
                fix: "make it writable, or name another with --state")
        }
        // An isolated instance has another working folder.
        environment.stateFolder = declaration.mode == "inproc" ? folder : URL(filePath: folder).path
        return environment
    }

    /// Manifest ∩ grant; that nothing is missing or too much was proved before.
    private func grants(_ declaration: InstanceDeclaration, _ manifest: Manifest) -> ResolvedGrants {
        var grants = ResolvedGrants()
        grants.egress = declaration.grants.egress.map { egress in
            egress.host == "self"
                ? .init(host: "self.theatre", port: nil, isPrivate: true)
                : .init(host: egress.host, port: egress.port, isPrivate: egress.isPrivate)
        }
        for secret in manifest.grants.secrets {
            guard let granted = declaration.grants.secrets[secret.name] else { continue }
            grants.secrets[secret.name] = .init(
                source: granted.from, hosts: granted.hosts, places: secret.places, isLease: secret.use == "lease")
        }
        for key in manifest.grants.keys {
            guard let granted = declaration.grants.keys[key.name] else { continue }
            grants.keys[key.name] = .init(key: granted, algorithm: key.algorithm, also: key.also)
        }
        grants.operates = manifest.grants.operate && declaration.grants.operate
        grants.personal = manifest.grants.personal && declaration.grants.personal
        grants.publishes = Set(manifest.grants.publishes).intersection(declaration.grants.publishes)
        return grants
    }

    private func operations(_ manifest: Manifest) -> [PortOperation] {
        manifest.operations.map { PortOperation($0, traits($0)) }
    }

    private func calls(_ manifest: Manifest) -> [PortCall] {
        let needs = Dictionary(manifest.needs.map { ($0.feature, $0) }) { first, _ in first }
        return manifest.calls.map { call in
            let owner = Manifest.owner(of: call)
            let method = String(call.dropFirst(owner.count + 1))
            if let need = needs[owner] {
                let operation = "\(need.capability)/\(method)"
                return PortCall(
                    call, .feature(owner, operation: operation, fallback: need.fallback == "allowed"), traits(operation)
                )
            }
            guard let service = services[owner] else {
                let error = CallError(.unimplemented, "call.no_service", "This host does not serve \(owner).")
                return PortCall(call, .refused(error))
            }
            return PortCall(call, .service(service, operation: method), traits(call))
        }
    }

    private func traits(_ operation: String) -> OperationTraits {
        OperationTraits(of: operation, in: deployment.catalog)
    }

    private func providers(_ manifest: Manifest) -> Set<String> {
        var names: Set<String> = []
        for need in manifest.needs {
            guard let explanation = deployment.table.explain(need.feature) else { continue }
            names.formUnion(explanation.candidates.map(\.instance))
            if let instance = explanation.instance { names.insert(instance) }
        }
        return names
    }

    private var disabled: [ClosedInstance] {
        deployment.instances.filter { !$0.enabled }.map { Self.closed($0, nil, .disabled) }
    }

    private var broken: [ClosedInstance] {
        deployment.instances.compactMap { instance in
            deployment.broken[instance.name].map { Self.closed(instance, nil, .quarantined($0)) }
        }
    }

    private static func closed(
        _ declaration: InstanceDeclaration, _ file: PluginFile?, _ state: InstanceState
    ) -> ClosedInstance {
        let status = InstanceStatus(
            instance: declaration.name, plugin: declaration.plugin, version: file?.manifest.version ?? "",
            mode: declaration.mode, generation: 0, state: state,
            capabilities: file?.manifest.provides.map(\.capability) ?? [], digest: file?.digest ?? "",
            isCritical: declaration.critical)
        // A library that cannot be read has no digest; what is wrong with it stands for it.
        return ClosedInstance(
            status, fingerprint: "\(status.digest) \(status.reason ?? "") \(declaration.config) \(declaration.grants)")
    }
}
