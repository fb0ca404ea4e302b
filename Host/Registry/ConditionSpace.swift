// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The conditions of one feature's route, each dimension cut into the finitely many parts that they can tell apart.
///
/// A string dimension has an atom for each value named and one for anything else, not stated included. Amounts have an
/// atom for each interval between cuts and one for not stated. Percentages have intervals only: every key has a place.
struct ConditionSpace {
    static let dimensions = RouteDimension.allCases.count + 2
    static let amount = RouteDimension.allCases.count
    static let percentage = amount + 1

    /// Of each string dimension: the values named, sorted; the atom after the last is anything else.
    private(set) var values: [[String]] = []
    /// First amounts of intervals; the atom after the last is not stated.
    private(set) var amounts: [Int64] = [0]
    /// First hundredths of a percent of intervals.
    private(set) var percentages: [Int] = [0]

    init(_ conditions: [RouteConditions]) {
        values = RouteDimension.allCases.map { dimension in
            Set(conditions.flatMap { $0.values[dimension] ?? [] }).sorted()
        }
        var amounts: Set<Int64> = [0]
        var percentages: Set<Int> = [0]
        for condition in conditions {
            if let range = condition.amount {
                amounts.insert(range.lowerBound)
                if range.upperBound < .max { amounts.insert(range.upperBound + 1) }
            }
            if let range = condition.percentage {
                percentages.insert(range.lowerBound)
                if range.upperBound < 10_000 { percentages.insert(range.upperBound) }
            }
        }
        self.amounts = amounts.sorted()
        self.percentages = percentages.sorted()
    }

    /// How many atoms a dimension has.
    func count(_ dimension: Int) -> Int {
        switch dimension {
        case Self.amount: amounts.count + 1
        case Self.percentage: percentages.count
        default: values[dimension].count + 1
        }
    }

    /// Of each dimension the atoms that satisfy the conditions, ascending and never empty; nil where all do.
    func atoms(of conditions: RouteConditions) -> [[Int]?] {
        var result: [[Int]?] = RouteDimension.allCases.map { dimension in
            conditions.values[dimension].map { wanted in
                wanted.compactMap { Self.index(of: $0, in: values[dimension.rawValue]) }
            }
        }
        result.append(
            conditions.amount.map { range in
                Self.indexes(from: range.lowerBound, through: range.upperBound, in: amounts)
            })
        result.append(
            conditions.percentage.map { range in
                Self.indexes(from: range.lowerBound, through: range.upperBound - 1, in: percentages)
            })
        return result
    }

    private static func index(of value: String, in sorted: [String]) -> Int? {
        let index = sorted.partitioningIndex { $0 >= value }
        return index < sorted.count && sorted[index] == value ? index : nil
    }

    private static func indexes<T: Comparable>(from low: T, through high: T, in starts: [T]) -> [Int] {
        let first = starts.partitioningIndex { $0 >= low }
        let end = starts.partitioningIndex { $0 > high }
        return Array(first..<end)
    }
}

extension Array {
    /// The first index whose element satisfies a predicate that is false, then true.
    func partitioningIndex(_ predicate: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension ConditionSpace {
    /// An example of a combination of atoms: `currency=USD, amount=50000`. Nil atoms may be anything.
    func example(_ assignment: [Int?]) -> String {
        var parts: [String] = []
        for dimension in RouteDimension.allCases {
            guard let atom = assignment[dimension.rawValue] else { continue }
            let named = values[dimension.rawValue]
            parts.append(
                atom < named.count ? "\(dimension)=\(named[atom])" : "\(dimension)=\(Self.unnamed(among: named))")
        }
        if let atom = assignment[Self.amount] {
            parts.append(atom < amounts.count ? "amount=\(amounts[atom])" : "amount not stated")
        }
        if let atom = assignment[Self.percentage] {
            parts.append("percentage=\(RouteConditions.percent(percentages[atom]))")
        }
        return parts.isEmpty ? "any call" : parts.joined(separator: ", ")
    }

    /// A word that is none of the named ones.
    private static func unnamed(among named: [String]) -> String {
        var word = "other"
        while named.contains(word) { word = "an" + word }
        return word
    }
}
