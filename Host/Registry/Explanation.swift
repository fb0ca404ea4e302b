// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials

/// Why a call of a feature goes where it goes.
public struct Explanation: Sendable, Hashable, Encodable {
    /// The feature.
    public var feature: String
    /// What it needs.
    public var capability: String
    /// The instance taken, or nil.
    public var instance: String?
    /// The profile taken, or nil.
    public var profile: String?
    /// Profiles tried after it, in order.
    public var fallbacks: [String]
    /// Why, one sentence.
    public var reason: String
    /// The candidates of the route, in the order they are asked.
    public var candidates: [Candidate]
    /// Profiles that are no candidates, with the reason.
    public var others: [Eligibility]

    /// One candidate and what became of it.
    public struct Candidate: Sendable, Hashable, Encodable {
        /// Its profile.
        public var profile: String
        /// Its instance.
        public var instance: String
        /// True for the one that was taken.
        public var chosen: Bool
        /// Why it was taken, or why it lost.
        public var reason: String
    }

    /// Lines for a terminal.
    public var text: String {
        var lines = ["\(feature) needs \(capability)"]
        lines.append(profile.map { "→ \($0) (instance \(instance ?? $0)): \(reason)" } ?? "→ nowhere: \(reason)")
        if !fallbacks.isEmpty {
            lines.append("  then, after a failure without effect: \(fallbacks.joined(separator: ", "))")
        }
        for candidate in candidates where !candidate.chosen {
            lines.append("  not \(candidate.profile): \(candidate.reason)")
        }
        for other in others {
            lines.append("  \(other.isEligible ? "could be" : "cannot be") \(other.profile): \(other.reason)")
        }
        return lines.joined(separator: "\n")
    }

    /// One JSON object with sorted keys.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension RoutingTable {
    /// Why a call goes where it goes; nil where no enabled instance needs the feature.
    public func explain(_ feature: String, _ attributes: RouteAttributes = RouteAttributes()) -> Explanation? {
        guard let id = self.feature(feature) else { return nil }
        let compiled = features[id.index]
        var explanation = Explanation(
            feature: feature, capability: compiled.capability, fallbacks: [], reason: "", candidates: [], others: [])
        var taken: Int?
        for (index, unit) in compiled.units.enumerated() {
            let lost = taken.map { .outranked($0) } ?? compiled.failure(of: unit, attributes).map(Loss.condition)
            if lost == nil { taken = index }
            explanation.candidates += compiled.candidates(of: unit, lost: lost, attributes)
        }
        if let binding = resolve(id, attributes).binding {
            explanation.instance = binding.instance
            explanation.profile = binding.profile.name
            explanation.fallbacks = binding.fallbacks.map(\.profile.name)
        }
        explanation.reason = compiled.reason(taken: taken, candidates: explanation.candidates)
        let named = Set(explanation.candidates.map(\.profile))
        explanation.others = eligible(feature).filter { !named.contains($0.profile) }
        return explanation
    }

    /// Every profile, whether it could be bound to the feature, and why; those that could come first. Empty where no
    /// enabled instance needs the feature.
    public func eligible(_ feature: String) -> [Eligibility] {
        guard let id = self.feature(feature) else { return [] }
        let compiled = features[id.index]
        let subject = Feature(name: feature, capability: compiled.capability, needs: compiled.needs)
        let index = Dictionary(
            instances.enumerated().map { ($1.declaration.name, $0) }, uniquingKeysWith: { first, _ in first })
        let all = profiles.map { profile in
            let verdict =
                index[profile.instance].map { place in
                    let probe = probes.results.filter {
                        $0.instance == profile.instance && $0.capability == compiled.capability
                    }.max { $0.at < $1.at }
                    return Eligibility.judge(
                        instances[place], for: subject, probe: probe,
                        oldest: deployment.development ? .min : probes.now - probes.maximumAge)
                } ?? .disabled
            return Eligibility(
                profile: profile.name, instance: profile.instance, isEligible: verdict == .eligible,
                reason: verdict.reason(compiled.capability))
        }
        return all.filter(\.isEligible) + all.filter { !$0.isEligible }
    }
}

/// Why a unit was not taken.
private enum Loss {
    case outranked(Int)
    case condition(String)
}

extension CompiledFeature {
    /// The first condition of a unit that does not hold, in words; nil where all do.
    fileprivate func failure(of unit: CompiledUnit, _ attributes: RouteAttributes) -> String? {
        for dimension in RouteDimension.allCases {
            guard let values = unit.conditions.values[dimension], !values.contains(attributes[dimension]) else {
                continue
            }
            let actual = attributes[dimension].isEmpty ? "not stated" : attributes[dimension]
            return "\(dimension) is \(actual), it takes \(values.joined(separator: ", "))"
        }
        if let range = unit.conditions.amount, !(attributes.amount.map(range.contains) ?? false) {
            let actual = attributes.amount.map(String.init) ?? "not stated"
            return
                "amount is \(actual), it takes \(range.lowerBound) to \(range.upperBound == .max ? "any" : "\(range.upperBound)")"
        }
        if let range = unit.conditions.percentage, !range.contains(percentile(of: attributes.key)) {
            let bounds = "\(RouteConditions.percent(range.lowerBound)) to \(RouteConditions.percent(range.upperBound))"
            return "the key stands at \(RouteConditions.percent(percentile(of: attributes.key))), it takes \(bounds)"
        }
        return nil
    }

    fileprivate func candidates(
        of unit: CompiledUnit, lost: Loss?, _ attributes: RouteAttributes
    ) -> [Explanation.Candidate] {
        let winner = lost == nil ? member(of: unit, attributes) : -1
        return unit.members.enumerated().map { index, member in
            let reason: String
            switch lost {
            case .condition(let words): reason = words
            case .outranked(let other):
                reason =
                    "\"\(units[other].members.first?.binding.profile.name ?? "")\" comes before it and takes the call"
            case nil where unit.members.count > 1:
                let share = share(of: attributes.key, in: unit)
                let start = index == 0 ? 0 : unit.members[index - 1].end
                let total = unit.members.last?.end ?? 0
                reason = "the key stands at \(share) of \(total), its share is \(start) to \(member.end - 1)"
            case nil:
                reason = unit.conditions.areEmpty ? "it takes every call" : "its conditions hold: \(unit.conditions)"
            }
            return Explanation.Candidate(
                profile: member.binding.profile.name, instance: member.binding.instance, chosen: index == winner,
                reason: reason)
        }
    }

    fileprivate func reason(taken: Int?, candidates: [Explanation.Candidate]) -> String {
        switch origin {
        case .automatic: return "the only enabled instance that can meet it, routed without a route"
        case .unrouted(let why): return "\(why), and its plugin can do without"
        case .route(let source):
            guard taken != nil, let chosen = candidates.first(where: \.chosen) else {
                return "no candidate of the route at \(source) takes the call"
            }
            return "by the route at \(source), \(chosen.reason)"
        }
    }
}
