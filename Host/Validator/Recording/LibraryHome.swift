// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Isolation
internal import Logging
internal import Registry
internal import Remote
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

/// Where the trials of a library live.
enum LibraryHome: Sendable {
    /// In this process, where it is loaded.
    case loaded(PluginLibrary)
    /// Each in a process and a sandbox of its own, as in the host's mode `isolated`.
    case isolated
    /// At a server, as in the host's mode `remote`.
    case served(LibraryServer)

    /// A logger that says nothing.
    static let silence = Logger(label: "validator") { _ in SwiftLogNoOpLogHandler() }

    /// Makes processes, by the runner beside this program.
    static let housing = IsolatedHousing(logger: silence)

    /// Makes connections to servers.
    static let reach = RemoteHousing(logger: silence)

    /// A process that has loaded the library and closed its sandbox.
    ///
    /// - Throws: `LoadError` where there can be none.
    static func process(for subject: Subject, name: String, folder: String) throws -> any InstanceHome {
        try housing.home(for: plan(subject, name, .isolated, folder: folder)) { _ in }
    }

    /// A connection to a server that serves the library.
    ///
    /// - Throws: `LoadError` where nobody answers.
    static func connection(
        to server: LibraryServer, for subject: Subject, name: String, folder: String
    ) throws -> any InstanceHome {
        var plan = try plan(subject, name, .remote, folder: folder)
        var remote = InstanceDeclaration.Remote(endpoint: server.place)
        // It is up; a slow machine's is only slow.
        remote.connectSeconds = 60
        plan.remote = remote
        plan.isConfigured = true
        return try reach.home(for: plan) { _ in }
    }

    /// An instance as the host would run it.
    ///
    /// - Parameter service: answers every call that the plugin makes; nil: all are refused.
    static func plan(
        _ subject: Subject, _ name: String, _ mode: InstanceMode, folder: String, service: (any HostService)? = nil
    ) throws -> InstancePlan {
        var environment = HostEnvironment()
        environment.publicURL = "http://127.0.0.1:8080"
        environment.hostVersion = "0.0.0"
        environment.development = true
        if subject.manifest.grants.stateFolder { environment.stateFolder = folder }
        var limits = InstancePort.Limits()
        limits.maxConcurrency = subject.manifest.maxConcurrency
        var plan = InstancePlan(
            name: name, file: subject.file, isCritical: true,
            configuration: [UInt8](try subject.configuration.json()), environment: environment,
            grants: ResolvedGrants(),
            operations: subject.manifest.operations.map { PortOperation($0, traits(subject.catalog.operation($0))) },
            calls: subject.manifest.calls.indices.map { call(subject, $0, service) }, limits: limits,
            fingerprint: "\(mode)", providers: [], controlSeconds: 20)
        plan.mode = mode
        // What an operator would grant it: the servers of its configuration.
        plan.sandbox.connect = InstanceDeclaration.servers(askedBy: subject.manifest, subject.configuration)
            .compactMap { server in server.port.map { SandboxPlan.Peer(host: server.host, port: $0) } }
        return plan
    }

    private static func call(_ subject: Subject, _ index: Int, _ service: (any HostService)?) -> PortCall {
        let name = subject.manifest.calls[index], operation = subject.called(index)?.operation
        let traits = traits(operation)
        guard let service, !traits.streamsIn else {
            return PortCall(
                name, .refused(CallError(.unavailable, "route.unrouted", "The validator does not serve it.")), traits)
        }
        return PortCall(name, .service(service, operation: name), traits)
    }

    private static func traits(_ operation: OperationDescription?) -> OperationTraits {
        var traits = OperationTraits()
        guard let operation else { return traits }
        traits.sideEffect = operation.sideEffect
        traits.freeOfEffects = operation.freeOfEffects
        traits.streamsIn = operation.isClientStreaming
        traits.streamsOut = operation.isServerStreaming
        return traits
    }
}
