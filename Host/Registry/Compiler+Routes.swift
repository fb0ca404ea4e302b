// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension Compiler {
    /// Binds every feature, by route or by being the only choice.
    mutating func bindFeatures() -> [CompiledFeature] {
        var routed: [String: RouteDeclaration] = [:]
        lazy var installed = Set(plugins.values.flatMap { $0.manifest.needs.map(\.feature) })
        for route in deployment.routes {
            if let other = routed[route.feature] {
                fault(
                    .routeAmbiguous, at: route.source,
                    "Feature \(route.feature) is routed twice, first at \(other.source).",
                    fix: "Put all candidates into one route.")
                continue
            }
            routed[route.feature] = route
            if features[route.feature] == nil {
                if !installed.contains(route.feature) {
                    fault(
                        .routeUnknownFeature, at: route.source,
                        "No plugin has a feature \"\(route.feature)\"" + hint(route.feature, among: installed),
                        fix: "Name a feature that a plugin's manifest needs, or remove the route.")
                }
                for candidate in route.candidates { _ = profile(candidate.profile, at: candidate.source) }
            }
        }
        return featureOrder.compactMap { name in
            guard let feature = features[name] else { return nil }
            return routed[name].map { bind(feature, by: $0) } ?? bindAlone(feature)
        }
    }

    /// Without a route: the only instance that can meet it.
    private mutating func bindAlone(_ feature: Feature) -> CompiledFeature {
        let able = (providers[feature.capability] ?? []).filter { index in
            let name = instances[index].declaration.name
            return profiles[name].map { eligibility(of: $0, for: feature) == .eligible } ?? false
        }
        let who = "\"\(feature.needs[0].instance)\""
        if able.count > 1 {
            let names = able.map { "\"\(instances[$0].declaration.name)\"" }.joined(separator: ", ")
            fault(
                .routeAmbiguous, at: feature.needs[0].source,
                "Feature \(feature.name) of \(who) can be met by \(names), and no route says by which.",
                fix: "Add a route for \(feature.name) that names its candidates.")
        }
        guard able.count == 1, let profile = profiles[instances[able[0]].declaration.name] else {
            let why = whyNone(feature)
            if able.isEmpty, feature.mustBeRouted {
                fault(
                    .featureUnrouted, at: feature.needs[0].source,
                    "Feature \(feature.name) of \(who) has no route, and \(why).",
                    fix: "Enable an instance that provides \(feature.capability), or disable \(who).")
            }
            return CompiledFeature(feature, origin: .unrouted(why), units: [])
        }
        var unit = CompiledUnit(rank: 1, conditions: RouteConditions())
        unit.members = [.init(binding: Binding(instanceIndex: able[0], profile: profile), end: 1, position: 0)]
        return CompiledFeature(feature, origin: .automatic, units: [unit])
    }

    /// Why no instance can meet a feature.
    private func whyNone(_ feature: Feature) -> String {
        let reasons = (providers[feature.capability] ?? []).compactMap { index in
            profiles[instances[index].declaration.name].map { profile in
                "\"\(profile.name)\" does not do: \(eligibility(of: profile, for: feature).reason(feature.capability))"
            }
        }
        return reasons.isEmpty
            ? "no enabled instance provides \(feature.capability)" : reasons.joined(separator: "; ")
    }

    private mutating func bind(_ feature: Feature, by route: RouteDeclaration) -> CompiledFeature {
        for candidate in route.candidates { check(candidate.profile, for: feature, at: candidate.source) }
        checkFallbacks(of: route, feature)
        let units = units(of: route)
        checkCoverage(of: route, units)
        return CompiledFeature(feature, origin: .route(route.source), units: units, budget: route.budget)
    }

    private mutating func profile(_ name: String, at source: Source) -> ProfileDeclaration? {
        if let profile = profiles[name] { return profile }
        if declared.contains(name) { return ProfileDeclaration(name: name, instance: name, source: source) }
        fault(
            .routeUnknownProfile, at: source,
            "There is no profile or instance \"\(name)\"" + hint(name, among: declared.union(profiles.keys)),
            fix: "Name a declared profile or instance.")
        return nil
    }

    /// A profile that a route names exists and can do what the feature needs.
    private mutating func check(_ name: String, for feature: Feature, at source: Source) {
        guard let profile = profile(name, at: source), declared.contains(profile.instance) else { return }
        let verdict = eligibility(of: profile, for: feature)
        let reason = verdict.reason(feature.capability)
        switch verdict {
        case .eligible: break
        case .disabled:
            fault(
                .routeIncapable, at: source, "Profile \"\(name)\" cannot meet \(feature.name): \(reason).",
                fix: "Enable instance \"\(profile.instance)\", or remove it from the route.")
        case .incapable:
            fault(
                .routeIncapable, at: source, "Profile \"\(name)\" cannot meet \(feature.name): it \(reason).",
                fix: "Name a profile of an instance that provides \(feature.capability).")
        case .unmet:
            fault(
                .routeUnmet, at: source, "Profile \"\(name)\" does not meet \(feature.name): \(reason).",
                fix: "Name a profile that meets it.")
        case .unproved:
            fault(
                .routeUnproved, at: source, "Profile \"\(name)\" is not proved to meet \(feature.name): \(reason).",
                fix: "Probe instance \"\(profile.instance)\" again, or remove it from the route.")
        }
    }

    private mutating func checkFallbacks(of route: RouteDeclaration, _ feature: Feature) {
        let own = route.candidates.flatMap { $0.fallbacks ?? [] }
        for name in Set(route.fallbacks + own).sorted() { check(name, for: feature, at: route.source) }
        if !(route.fallbacks + own).isEmpty, let need = feature.needs.first(where: { $0.need.fallback != "allowed" }) {
            fault(
                .routeFallbackForbidden, at: route.source,
                "The route of \(feature.name) has fallbacks, which \"\(need.instance)\" forbids for it.",
                fix: "Remove the fallbacks.")
        }
        for candidate in route.candidates {
            let chain = [candidate.profile] + (candidate.fallbacks ?? route.fallbacks)
            var seen: Set<String> = []
            guard let again = chain.first(where: { !seen.insert($0).inserted }) else { continue }
            fault(
                .routeCycle, at: candidate.source,
                "The fallbacks of \(feature.name) come back to \"\(again)\": \(chain.joined(separator: " → ")).",
                fix: "Name each profile once; a candidate may state fallbacks of its own.")
        }
    }
}
