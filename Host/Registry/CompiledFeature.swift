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
    /// The decision where it is always the same.
    let only: Decision?
    private let percentSalt: StableHash
    private let weightSalt: StableHash

    init(_ feature: Feature, origin: Origin, units: [CompiledUnit], budget: JSONValue = .object([:])) {
        name = feature.name
        capability = feature.capability
        needs = feature.needs
        self.origin = origin
        self.units = units
        self.budget = budget
        percentSalt = .salted(name, UInt8(ascii: "%"))
        weightSalt = .salted(name, UInt8(ascii: "w"))
        if case .unrouted = origin {
            only = .unrouted
        } else if let first = units.first, first.tests.isEmpty, first.members.count == 1 {
            only = .to(first.members[0].binding)
        } else {
            only = nil
        }
    }

    var isUnrouted: Bool { if case .unrouted = origin { true } else { false } }
    var allowsFallback: Bool { needs.allSatisfy { $0.need.fallback == "allowed" } }

    func resolve(_ attributes: borrowing RouteAttributes) -> Decision {
        for index in units.indices where units[index].matches(attributes, percentSalt) {
            return .to(units[index].members[member(of: units[index], attributes)].binding)
        }
        return .unmatched
    }

    /// Which member of a unit a key's share falls to.
    func member(of unit: CompiledUnit, _ attributes: borrowing RouteAttributes) -> Int {
        guard unit.members.count > 1 else { return 0 }
        let share = share(of: attributes.key, in: unit)
        return unit.members.firstIndex { share < $0.end } ?? 0
    }

    /// Where a key stands in the sum of a unit's weights.
    func share(of key: String, in unit: CompiledUnit) -> Int {
        Int(weightSalt.remainder(of: key, by: UInt64(max(1, unit.members.last?.end ?? 1))))
    }

    /// Where a key stands in the feature's percentages.
    func percentile(of key: String) -> Int { percentSalt.percentile(of: key) }
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

    /// One condition, ready to be asked.
    enum Test: Sendable {
        case one(RouteDimension, String)
        case few(RouteDimension, [String])
        case many(RouteDimension, Set<String>)
        case amount(ClosedRange<Int64>)
        case percentage(Range<Int>)
    }

    let rank: Int
    let conditions: RouteConditions
    let tests: [Test]
    var members: [Member] = []

    init(rank: Int, conditions: RouteConditions) {
        self.rank = rank
        self.conditions = conditions
        tests = Self.tests(conditions)
    }

    private static func tests(_ conditions: RouteConditions) -> [Test] {
        var tests: [Test] = RouteDimension.allCases.compactMap { dimension in
            guard let values = conditions.values[dimension] else { return nil }
            if values.count == 1 { return .one(dimension, values[0]) }
            return values.count <= 8 ? .few(dimension, values) : .many(dimension, Set(values))
        }
        if let amount = conditions.amount { tests.append(.amount(amount)) }
        if let percentage = conditions.percentage { tests.append(.percentage(percentage)) }
        return tests
    }

    func matches(_ attributes: borrowing RouteAttributes, _ salt: StableHash) -> Bool {
        for index in tests.indices where !Self.holds(tests[index], attributes, salt) { return false }
        return true
    }

    static func holds(_ test: Test, _ attributes: borrowing RouteAttributes, _ salt: StableHash) -> Bool {
        switch test {
        case .one(let dimension, let value): attributes[dimension] == value
        case .few(let dimension, let values): values.contains(attributes[dimension])
        case .many(let dimension, let values): values.contains(attributes[dimension])
        case .amount(let range): attributes.amount.map(range.contains) ?? false
        case .percentage(let range): range.contains(salt.percentile(of: attributes.key))
        }
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
