// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import SeededRandom

/// What a route comes to, by trying every combination of few values: slow, plain, and written without the compiler's ways.
struct NaiveRoute {
    struct Point {
        var attributes: RouteAttributes
        /// In place of a key: where it stands, in hundredths of a percent.
        var percentile: Int
    }

    let candidates: [RouteDeclaration.Candidate]

    func matches(_ when: RouteConditions, _ point: Point) -> Bool {
        for (dimension, values) in when.values where !values.contains(point.attributes[dimension]) { return false }
        if let range = when.amount {
            guard let amount = point.attributes.amount, range.contains(amount) else { return false }
        }
        if let range = when.percentage { return range.contains(point.percentile) }
        return true
    }

    /// Every combination that the random routes can tell apart, and more.
    static let points: [Point] = {
        var points: [Point] = []
        for tenant in ["", "a", "b", "x"] {
            for currency in ["", "EUR", "USD", "x"] {
                for channel in ["", "web", "x"] {
                    for amount: Int64? in [nil, 0, 9, 10, 19, 20, 21, 30, .max] {
                        for percentile in [0, 2499, 2500, 4999, 5000, 9999] {
                            var attributes = RouteAttributes()
                            attributes.tenant = tenant
                            attributes.currency = currency
                            attributes.channel = channel
                            attributes.amount = amount
                            points.append(Point(attributes: attributes, percentile: percentile))
                        }
                    }
                }
            }
        }
        return points
    }()

    static func conditions(_ seed: inout SeededGenerator) -> RouteConditions {
        func some(_ values: [String]) -> [String] { values.filter { _ in Bool.random(using: &seed) } }
        var when = RouteConditions()
        if Int.random(in: 0..<3, using: &seed) == 0 { when = when.and(.tenant, some(["a", "b"])) }
        if Int.random(in: 0..<2, using: &seed) == 0 { when = when.and(.currency, some(["EUR", "USD"])) }
        if Int.random(in: 0..<4, using: &seed) == 0 { when = when.and(.channel, ["web"]) }
        if Int.random(in: 0..<3, using: &seed) == 0 {
            let ranges: [ClosedRange<Int64>] = [0...9, 0...20, 10...(.max), 10...20, 21...(.max), 0...(.max)]
            when = when.and(amount: ranges.randomElement(using: &seed) ?? 0...9)
        }
        if Int.random(in: 0..<4, using: &seed) == 0 {
            let ranges = [0..<2500, 2500..<10_000, 0..<5000, 5000..<10_000, 0..<10_000]
            when = when.and(percentage: ranges.randomElement(using: &seed) ?? 0..<2500)
        }
        return when
    }

    /// Positions of the candidates of least rank that match, in order.
    func winners(_ point: Point) -> [Int] {
        let matching = candidates.indices.filter { matches(candidates[$0].when, point) }
        let best = matching.map { rank($0) }.min()
        return matching.filter { rank($0) == best }
    }

    func rank(_ position: Int) -> Int { candidates[position].rank ?? position + 1 }
}
