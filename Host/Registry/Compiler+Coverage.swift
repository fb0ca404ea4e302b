// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension Compiler {
    /// Candidates in the order they are asked; those of equal rank and conditions that state weights are one unit.
    mutating func units(of route: RouteDeclaration) -> [CompiledUnit] {
        struct Group: Hashable {
            let rank: Int?
            let conditions: RouteConditions
        }
        var units: [CompiledUnit] = []
        var ranked: [Group: Int] = [:]
        var weighs: [Bool] = []
        for (position, candidate) in route.candidates.enumerated() {
            let group = Group(rank: candidate.rank, conditions: candidate.when)
            var unit = candidate.rank == nil ? units.indices.last : ranked[group]
            if let index = unit, candidate.weight == nil || !weighs[index] || units[index].conditions != candidate.when
            {
                unit = nil
            }
            let index = unit ?? units.count
            if unit == nil {
                units.append(CompiledUnit(rank: candidate.rank ?? position + 1, conditions: candidate.when))
                weighs.append(candidate.weight != nil)
                if candidate.weight != nil { ranked[group] = index }
            }
            guard let binding = binding(candidate, route) else { continue }
            let end = (units[index].members.last?.end ?? 0) + (candidate.weight ?? 1)
            units[index].members.append(.init(binding: binding, end: end, position: position))
        }
        return units.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }.map(\.element)
    }

    /// Nil where a name is wrong, which is a fault already. Equal bindings are one object, so that they stay in cache.
    private mutating func binding(_ candidate: RouteDeclaration.Candidate, _ route: RouteDeclaration) -> Binding? {
        let fallbacks = candidate.fallbacks ?? route.fallbacks
        return bound([candidate.profile] + fallbacks, fallbacks.compactMap { bound([$0], []) })
    }

    private mutating func bound(_ chain: [String], _ fallbacks: [Binding]) -> Binding? {
        if let known = bindings[chain] { return known }
        guard let profile = profiles[chain[0]], let index = instanceIndex[profile.instance] else { return nil }
        let binding = Binding(instanceIndex: index, profile: profile, fallbacks: fallbacks)
        bindings[chain] = binding
        return binding
    }

    /// Every combination reaches a candidate, every candidate is reached, and none is reached with another.
    mutating func checkCoverage(of route: RouteDeclaration, _ units: [CompiledUnit]) {
        if units.count == 1, units[0].conditions.areEmpty { return }
        guard units.allSatisfy({ !$0.members.isEmpty }) else { return }
        let coverage = Coverage(units.map { Coverage.Unit(rank: $0.rank, conditions: $0.conditions) })
        guard coverage.isDecided else {
            fault(
                .routeTooComplex, at: route.source,
                "The conditions of \(route.feature) cannot be decided within bounds.",
                fix: "Use fewer dimensions at once, or fewer candidates.")
            return
        }
        func candidate(_ unit: Int) -> RouteDeclaration.Candidate { route.candidates[units[unit].members[0].position] }
        if let example = coverage.uncovered, route.strict {
            fault(
                .routeUncovered, at: route.source, "No candidate of \(route.feature) takes \(example).",
                fix: "Add a last candidate without conditions, or set strict: false to refuse such calls.")
        }
        for unit in units.indices where !coverage.reached[unit] {
            fault(
                .routeShadowed, at: candidate(unit).source,
                "Nothing reaches candidate \"\(candidate(unit).profile)\" of \(route.feature) "
                    + "(\(units[unit].conditions)): those before it take all of it.",
                fix: "Move it up, narrow those before it, or remove it.")
        }
        for (pair, example) in coverage.conflicts {
            let first = candidate(pair.first)
            let second = candidate(pair.second)
            fault(
                .routeAmbiguous, at: second.source,
                "Candidates \"\(first.profile)\" and \"\(second.profile)\" of \(route.feature) have rank "
                    + "\(units[pair.first].rank) and both take \(example).",
                fix: "Give one of them a lower rank, or equal conditions and weights.")
        }
    }
}
