// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a feature's conditions come to, decided exactly.
///
/// Walks the tree of atoms, one dimension at a level, with the candidates that are still possible. A branch ends where
/// none is left (uncovered) or the first one left has no condition left (it wins there), so that only parts that
/// conditions tell apart are visited; atoms that the same candidates name are visited once.
struct Coverage {
    /// One candidate, or a group that shares by weight, in the order they are asked.
    struct Unit {
        var rank: Int
        var conditions: RouteConditions
    }

    /// Two units that both match, none before them does, and an example.
    struct Conflict: Hashable {
        var first: Int
        var second: Int
    }

    /// An example that reaches no unit, or nil.
    private(set) var uncovered: String?
    /// Units that some combination reaches.
    private(set) var reached: [Bool]
    /// Pairs of equal rank, with an example of each.
    private(set) var conflicts: [(pair: Conflict, example: String)] = []
    /// False where the search was given up.
    private(set) var isDecided = true

    private let space: ConditionSpace
    private let units: [Unit]
    private let atoms: [[[Int]?]]
    private let constrained: [UInt16]
    private var assignment: [Int?]
    private var known: Set<Conflict> = []
    private var work: Int

    /// Decides the units, which are sorted by rank.
    ///
    /// - Parameter limit: how many candidates may be looked at in all before the search is given up.
    init(_ units: [Unit], limit: Int = 2_000_000) {
        self.units = units
        reached = Array(repeating: false, count: units.count)
        space = ConditionSpace(units.map(\.conditions))
        let atoms = units.map { [space] in space.atoms(of: $0.conditions) }
        self.atoms = atoms
        constrained = atoms.map { sets in
            sets.enumerated().reduce(0) { mask, entry in entry.element == nil ? mask : mask | 1 << UInt16(entry.offset)
            }
        }
        assignment = Array(repeating: nil, count: ConditionSpace.dimensions)
        work = limit
        visit(Array(units.indices), open: ~0)
    }

    private mutating func visit(_ active: [Int], open: UInt16) {
        guard isDecided else { return }
        work -= active.count + 1
        guard work > 0 else {
            isDecided = false
            return
        }
        guard let first = active.first else {
            if uncovered == nil { uncovered = space.example(assignment) }
            return
        }
        guard constrained[first] & open != 0 else {
            win(first, among: active, open: open)
            return
        }
        let dimension = self.dimension(for: first, among: active, open: open)
        let rest = open & ~(1 << UInt16(dimension))
        for (atom, remaining) in branches(active, on: dimension, open: rest) {
            assignment[dimension] = atom
            visit(remaining, open: rest)
        }
        assignment[dimension] = nil
    }

    /// The first unit takes all that is left here; those of equal rank that could match here contend.
    private mutating func win(_ first: Int, among active: [Int], open: UInt16) {
        reached[first] = true
        for other in active.dropFirst() {
            guard units[other].rank == units[first].rank else { break }
            reached[other] = true
            guard known.insert(Conflict(first: first, second: other)).inserted else { continue }
            var example = assignment
            for dimension in example.indices where open & (1 << UInt16(dimension)) != 0 {
                if let set = atoms[other][dimension] { example[dimension] = set.first }
            }
            conflicts.append((Conflict(first: first, second: other), space.example(example)))
        }
    }

    /// Of the first unit's open dimensions the one that most units name.
    private func dimension(for first: Int, among active: [Int], open: UInt16) -> Int {
        let choices = (0..<ConditionSpace.dimensions).filter { constrained[first] & open & (1 << UInt16($0)) != 0 }
        guard choices.count > 1 else { return choices[0] }
        var counts = Array(repeating: 0, count: ConditionSpace.dimensions)
        for unit in active.prefix(256) {
            for dimension in choices where constrained[unit] & (1 << UInt16(dimension)) != 0 { counts[dimension] += 1 }
        }
        return choices.max { (counts[$0], -$0) < (counts[$1], -$1) } ?? choices[0]
    }

    /// For each class of atoms that no unit tells apart: one of them, and the units left there.
    private func branches(_ active: [Int], on dimension: Int, open: UInt16) -> [(Int, [Int])] {
        var naming = Array(repeating: [Int](), count: space.count(dimension))
        var indifferent: [Int] = []
        for unit in active {
            guard let set = atoms[unit][dimension] else {
                indifferent.append(unit)
                continue
            }
            for atom in set { naming[atom].append(unit) }
        }
        var seen: Set<[Int]> = []
        return naming.indices.compactMap { atom in
            guard seen.insert(naming[atom]).inserted else { return nil }
            return (atom, merged(naming[atom], indifferent, open: open))
        }
    }

    /// Both in order, up to the last that could win: those after a unit without a condition left cannot.
    private func merged(_ a: [Int], _ b: [Int], open: UInt16) -> [Int] {
        var result: [Int] = []
        var i = 0
        var j = 0
        var bound = Int.max
        while i < a.count || j < b.count {
            let next: Int
            if j >= b.count || (i < a.count && a[i] < b[j]) {
                next = a[i]
                i += 1
            } else {
                next = b[j]
                j += 1
            }
            guard units[next].rank <= bound else { break }
            result.append(next)
            if constrained[next] & open == 0 { bound = units[next].rank }
        }
        return result
    }
}
