// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// One feature of a table.
final class CompiledFeature: Sendable {
    /// How it came to be bound as it is.
    enum Origin: Sendable {
        /// Exactly one instance can meet it.
        case automatic
        /// By a route.
        case route(Source)
        /// Nothing meets it, and why.
        case unrouted(String)
    }

    let name: String
    let capability: String
    let needs: [FeatureNeed]
    let origin: Origin
    let units: [CompiledUnit]
    let budget: JSONValue
    /// Of the name, for stable hashes.
    let salt: UInt64

    init(_ feature: Feature, origin: Origin, units: [CompiledUnit], budget: JSONValue = .object([:])) {
        name = feature.name
        capability = feature.capability
        needs = feature.needs
        self.origin = origin
        self.units = units
        self.budget = budget
        salt = StableHash.of(name)
    }

    var isUnrouted: Bool { if case .unrouted = origin { true } else { false } }
    var allowsFallback: Bool { needs.allSatisfy { $0.need.fallback == "allowed" } }

    /// Which member of a unit a key's share falls to.
    func member(of unit: CompiledUnit, _ attributes: borrowing RouteAttributes) -> Int {
        guard unit.members.count > 1 else { return 0 }
        let share = share(of: attributes.key, in: unit)
        return unit.members.firstIndex { share < $0.end } ?? 0
    }

    /// Where a key stands in the sum of a unit's weights.
    func share(of key: String, in unit: CompiledUnit) -> Int {
        Int(StableHash.share(StableHash.of(key), salt: salt, of: UInt64(unit.members.last?.end ?? 1)))
    }

    /// Where a key stands in the feature's percentages.
    func percentile(of key: String) -> Int { Int(StableHash.percentile(StableHash.of(key), salt: salt)) }
}

/// Candidates that are asked together: one, or several that share by weight.
struct CompiledUnit: Sendable {
    /// One candidate of a unit.
    struct Member: Sendable {
        let binding: Binding
        /// Where its share ends in the sum of weights.
        let end: Int
        /// Its place in the route, from 0.
        let position: Int
    }

    let rank: Int
    let conditions: RouteConditions
    var members: [Member] = []

    init(rank: Int, conditions: RouteConditions) {
        self.rank = rank
        self.conditions = conditions
    }
}

/// A need and who has it.
struct FeatureNeed: Sendable {
    let need: Manifest.Need
    /// The instance, or `host`.
    let instance: String
    let source: Source
}

/// A feature as its plugins declare it, before it is bound.
struct Feature: Sendable {
    let name: String
    let capability: String
    var needs: [FeatureNeed]

    /// True where one of those who need it cannot do without.
    var mustBeRouted: Bool { needs.contains { $0.need.whenUnrouted == "refuse" } }
}
