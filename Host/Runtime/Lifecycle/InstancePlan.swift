// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Registry
public import TheatreContracts

/// One instance as it is to run: its library, its configuration and what it may touch, all checked.
public struct InstancePlan: Sendable {
    /// Name in `plugins.d`.
    public var name: String
    /// The verified library.
    public var file: PluginFile
    /// Where it runs.
    public var mode = InstanceMode.inproc
    /// What it may do where it runs `isolated`.
    public var sandbox = SandboxPlan()
    /// Where it is served where it runs `remote`.
    public var remote: InstanceDeclaration.Remote?
    /// `plugins.d` says something of its configuration.
    public var isConfigured = false
    /// The host does not start without it.
    public var isCritical: Bool
    /// JSON, checked, defaults filled in.
    public var configuration: [UInt8]
    /// What it learns of its host.
    public var environment: HostEnvironment
    /// Manifest ∩ grant.
    public var grants: ResolvedGrants
    /// What it serves, by index.
    public var operations: [PortOperation]
    /// What it calls, by index.
    public var calls: [PortCall]
    /// What bounds it.
    public var limits: InstancePort.Limits
    /// Equal for equal library, configuration and grants: such an instance is kept at a reload.
    public var fingerprint: String
    /// Instances that its needs may reach: they are activated before it.
    public var providers: Set<String>
    /// Longest control call, in seconds.
    public var controlSeconds: Int
    /// Whether it tests itself before it serves. An operator's command does without: what is damaged is to be looked at.
    public var testsItself = true

    /// A plan.
    public init(
        name: String, file: PluginFile, isCritical: Bool, configuration: [UInt8], environment: HostEnvironment,
        grants: ResolvedGrants, operations: [PortOperation], calls: [PortCall], limits: InstancePort.Limits,
        fingerprint: String, providers: Set<String>, controlSeconds: Int
    ) {
        self.name = name
        self.file = file
        self.isCritical = isCritical
        self.configuration = configuration
        self.environment = environment
        self.grants = grants
        self.operations = operations
        self.calls = calls
        self.limits = limits
        self.fingerprint = fingerprint
        self.providers = providers
        self.controlSeconds = controlSeconds
    }

    /// Providers first; where needs form a circle, by name.
    static func inOrderOfActivation(_ plans: [InstancePlan]) -> [InstancePlan] {
        var waiting = plans.sorted { $0.name < $1.name }
        var names = Set(plans.map(\.name))
        var ordered: [InstancePlan] = []
        while !waiting.isEmpty {
            let ready = waiting.filter { $0.providers.subtracting([$0.name]).isDisjoint(with: names) }
            let next = ready.isEmpty ? [waiting[0]] : ready
            ordered += next
            names.subtract(next.map(\.name))
            waiting.removeAll { plan in next.contains { $0.name == plan.name } }
        }
        return ordered
    }
}
