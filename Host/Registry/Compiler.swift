// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// What a configuration fails of its schema.
public struct ConfigFault: Sendable, Hashable {
    /// RFC 6901 pointer into the configuration.
    public var pointer: String
    /// What the schema asks for, as half a sentence: `an integer is expected`.
    public var expected: String
    /// What is there: `a string`; never the value of a secret.
    public var found: String

    /// A failure at a place of a configuration.
    public init(pointer: String, expected: String, found: String) {
        self.pointer = pointer
        self.expected = expected
        self.found = found
    }
}

/// What compiling gives: a table, or what is wrong. Nothing is half applied.
public enum Compilation: Sendable {
    /// All needs are bound.
    case table(RoutingTable)
    /// What is wrong, sorted by file and line; not empty.
    case faults([Fault])

    /// The table, if there are no faults.
    public var table: RoutingTable? { if case .table(let table) = self { table } else { nil } }

    /// The faults, empty where there is a table.
    public var faults: [Fault] { if case .faults(let faults) = self { faults } else { [] } }
}

/// Proves a deployment and binds its features. Pure: reads its arguments and nothing else.
///
/// - Parameters:
///   - plugins: all that are installed, configured or not.
///   - deployment: what `plugins.d` declares.
///   - probes: what is known of how capabilities work.
///   - validate: checks an instance's configuration against its plugin's JSON Schema, `(schema, value)`.
public func compile(
    plugins: [InstalledPlugin], deployment: Deployment, probes: Probes = Probes(),
    validate: (JSONValue, JSONValue) -> [ConfigFault] = { _, _ in [] }
) -> Compilation {
    var compiler = Compiler(plugins: plugins, deployment: deployment, probes: probes)
    compiler.checkInstances(validate)
    compiler.checkPlugins()
    compiler.checkHTTPRoutes()
    compiler.checkGuards()
    compiler.checkVaults()
    compiler.checkRates()
    compiler.gatherFeatures()
    compiler.gatherProfiles()
    let features = compiler.bindFeatures()
    guard compiler.faults.isEmpty else { return .faults(Set(compiler.faults).sorted()) }
    return .table(
        RoutingTable(
            instances: compiler.instances, features: features,
            profiles: compiler.profileOrder.compactMap { compiler.profiles[$0] },
            deployment: deployment, probes: probes))
}

/// The state of one compilation; its steps are in extensions, one topic each.
struct Compiler {
    let plugins: [String: InstalledPlugin]
    let deployment: Deployment
    let probes: [Probed: Probes.Result]
    let probing: Probes
    var faults: [Fault] = []

    /// Enabled, with a plugin, first of their name.
    var instances: [BoundInstance] = []
    var instanceIndex: [String: Int] = [:]
    /// Names of all declared instances, enabled or not.
    var declared: Set<String> = []
    /// Indexes of the instances that provide a capability.
    var providers: [String: [Int]] = [:]
    var features: [String: Feature] = [:]
    /// In order of declaration.
    var featureOrder: [String] = []
    var profiles: [String: ProfileDeclaration] = [:]
    var profileOrder: [String] = []
    /// By the names of the profile and its fallbacks.
    var bindings: [[String]: Binding] = [:]

    struct Probed: Hashable {
        let instance: String
        let capability: String
    }

    init(plugins: [InstalledPlugin], deployment: Deployment, probes: Probes) {
        self.plugins = Dictionary(plugins.map { ($0.manifest.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.deployment = deployment
        self.probing = probes
        self.probes = Dictionary(
            probes.results.map { (Probed(instance: $0.instance, capability: $0.capability), $0) },
            uniquingKeysWith: { $0.at >= $1.at ? $0 : $1 })
    }

    mutating func fault(_ code: FaultCode, at source: Source, _ sentence: String, fix: String) {
        faults.append(Fault(code, at: source, sentence, fix: fix))
    }

    /// `; did you mean "x"?` where there is a near match among those names, else nothing.
    func hint(_ word: String, among names: some Sequence<String>) -> String {
        nearestMatch(to: word, among: names).map { "; did you mean \"\($0)\"?" } ?? "."
    }
}
