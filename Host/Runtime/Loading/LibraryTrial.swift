// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
public import TheatreContracts
internal import TheatreManifest

/// Tries a library in a process that does nothing else: load, create, self-test, destroy. What comes of it matters only
/// where the process does not live to tell.
public enum LibraryTrial {
    /// Runs through a short life of an instance without any service.
    ///
    /// - Parameters:
    ///   - file: the library.
    ///   - instance: its name in `plugins.d`.
    ///   - configuration: JSON, defaults filled in.
    ///   - stateFolder: an empty folder, for plugins that ask for one.
    ///   - seconds: longest control call.
    /// - Throws: `LoadError` where the plugin answered an error. That alone is no reason not to load it: much cannot work
    ///   without services.
    public static func run(
        _ file: PluginFile, instance: String, configuration: [UInt8], stateFolder: String, seconds: Int
    ) throws {
        let dispatcher = Dispatcher()
        try dispatcher.startSweeping()
        defer { dispatcher.stopSweeping() }
        var environment = HostEnvironment()
        environment.development = true
        if file.manifest.grants.stateFolder { environment.stateFolder = stateFolder }
        let alone = CallError(.unavailable, "probe.no_services", "A library on trial has no services.", retry: .safe)
        let plan = InstancePlan(
            name: instance, file: file, isCritical: false, configuration: configuration, environment: environment,
            grants: ResolvedGrants(), operations: file.manifest.operations.map { PortOperation($0) },
            calls: file.manifest.calls.map { PortCall($0, .refused(alone)) }, limits: InstancePort.Limits(),
            fingerprint: file.digest, providers: [], controlSeconds: seconds)
        let home = try InProcessHousing().home(for: plan) { _ in }
        let running = RunningInstance(
            plan, generation: 1, home: home, dispatcher: dispatcher, hooks: InstancePort.Hooks())
        try running.create()
        dispatcher.install(DispatchTable(ports: [instance: running.port]))
        defer {
            running.port.retire()
            running.retire(drained: true)
        }
        try running.testSelf()
    }
}
