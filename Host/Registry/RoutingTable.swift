// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// A feature of one table, as a small number. Of no use with another table.
public struct FeatureID: Sendable, Hashable {
    /// Its place in the table, from 0.
    public let index: Int
}

/// Where a call goes: an instance by one of its profiles, and what may be tried after it.
public final class Binding: Sendable {
    /// Name of the instance.
    public let instance: String
    /// Its place in the table's instances.
    public let instanceIndex: Int
    /// Parameters, price and limits.
    public let profile: ProfileDeclaration
    /// Tried in order after a failure without effect; theirs are empty.
    public let fallbacks: [Binding]

    init(instanceIndex: Int, profile: ProfileDeclaration, fallbacks: [Binding] = []) {
        self.instance = profile.instance
        self.instanceIndex = instanceIndex
        self.profile = profile
        self.fallbacks = fallbacks
    }
}

/// What a table says of a call.
public enum Decision: Sendable {
    /// Send it there.
    case to(Binding)
    /// The feature has candidates, none takes this call, and its route is not strict: UNAVAILABLE `route.unmatched`.
    case unmatched
    /// Nothing meets the feature and its plugin can do without: UNAVAILABLE `route.unrouted`.
    case unrouted

    /// Where to send it, if anywhere.
    public var binding: Binding? { if case .to(let binding) = self { binding } else { nil } }
}

/// A compiled deployment: every need bound to what can meet it. Immutable, for any thread.
public final class RoutingTable: Sendable {
    /// The enabled instances, in order of declaration.
    public let instances: [BoundInstance]
    let features: [CompiledFeature]
    let profiles: [ProfileDeclaration]
    let deployment: Deployment
    let probes: Probes
    private let ids: [String: Int]
    private let program: RouteProgram

    init(
        instances: [BoundInstance], features: [CompiledFeature], profiles: [ProfileDeclaration], deployment: Deployment,
        probes: Probes
    ) {
        self.instances = instances
        self.features = features
        self.profiles = profiles
        self.deployment = deployment
        self.probes = probes
        program = RouteProgram(features)
        ids = Dictionary(features.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The same bindings, with what probes found in what is said of eligible profiles.
    public func judged(by probes: Probes) -> RoutingTable {
        RoutingTable(
            instances: instances, features: features, profiles: profiles, deployment: deployment, probes: probes)
    }

    /// The id of a feature that an enabled instance needs, or nil. Look it up once and keep it with the table.
    public func feature(_ name: String) -> FeatureID? { ids[name].map(FeatureID.init(index:)) }

    /// Names of all features, in the order of their ids.
    public var featureNames: [String] { features.map(\.name) }

    /// Features that nothing meets and whose plugins can do without, sorted.
    public var unroutedFeatures: [String] { features.filter(\.isUnrouted).map(\.name).sorted() }

    /// True where another profile may be tried after a failure without effect.
    public func allowsFallback(_ feature: FeatureID) -> Bool { features[feature.index].allowsFallback }

    /// What the feature needs.
    public func capability(of feature: FeatureID) -> String { features[feature.index].capability }

    /// Where the feature's providers stand for somebody outside: which errors are theirs by reason; nil where they do not.
    public func external(_ feature: FeatureID) -> [String: FaultClass]? {
        let capability = features[feature.index].capability
        for instance in instances {
            guard let facts = instance.plugin.contracts.capabilities[capability] else { continue }
            return facts.external
        }
        return nil
    }

    /// What the feature's route may cost, an object; empty for no budget.
    public func budget(_ feature: FeatureID) -> JSONValue { features[feature.index].budget }

    /// Decides a call: no lock, no allocation, independent of the number of features and routes.
    public func resolve(_ feature: FeatureID, _ attributes: borrowing RouteAttributes) -> Decision {
        program.resolve(feature.index, attributes)
    }
}

/// An enabled instance and its plugin.
public struct BoundInstance: Sendable {
    /// As declared.
    public let declaration: InstanceDeclaration
    /// What it is an instance of.
    public let plugin: InstalledPlugin
}
