// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import SeededRandom
import Testing
import TheatreManifest

/// The compiler against a naive evaluator, on random routes.
struct RoutePropertyTests {
    static let names = (0..<6).map { "p\($0)" }

    /// A world where each candidate has a profile of its own, `p0`, `p1`, ….
    static func world(_ candidates: [RouteDeclaration.Candidate], strict: Bool = true) throws -> World {
        var world = try World.small()
        world.deployment.profiles = names.map { .init(name: $0, instance: "talker", source: Source(file: $0, line: 1)) }
        world.deployment.routes = [World.route("studio.chat", strict: strict, candidates)]
        return world
    }

    static func randomCandidates(_ seed: inout SeededGenerator) -> [RouteDeclaration.Candidate] {
        let count = Int.random(in: 1...6, using: &seed)
        let isRanked = Bool.random(using: &seed)
        let endsOpen = Bool.random(using: &seed)
        return (0..<count).map { position in
            let when = endsOpen && position == count - 1 ? always : NaiveRoute.conditions(&seed)
            let rank = isRanked ? Int.random(in: 1...3, using: &seed) : nil
            return World.candidate("p\(position)", when, rank: rank, line: position + 10)
        }
    }

    @Test(arguments: 0..<20)
    func faultsAreExactlyThoseOfTheNaiveEvaluator(_ block: UInt64) throws {
        for number in 0..<25 {
            var seed = SeededGenerator(seed: block * 1000 + UInt64(number))
            let candidates = Self.randomCandidates(&seed)
            let naive = NaiveRoute(candidates: candidates)
            let winners = NaiveRoute.points.map(naive.winners)
            let reached = Set(winners.joined())
            var expected: Set<String> = winners.contains([]) ? ["route.uncovered"] : []
            for position in candidates.indices where !reached.contains(position) {
                expected.insert("route.shadowed \(position + 10)")
            }
            for group in winners { for other in group.dropFirst() { expected.insert("route.ambiguous \(other + 10)") } }
            let found = try Self.world(candidates).compile().faults.map { fault in
                fault.code == .routeUncovered ? fault.code.rawValue : "\(fault.code.rawValue) \(fault.source.line)"
            }
            #expect(Set(found) == expected, "seed \(block * 1000 + UInt64(number)): \(candidates.map(\.when))")
        }
    }

    @Test(arguments: 0..<10)
    func theExampleOfAnUncoveredRouteReachesNothing(_ block: UInt64) throws {
        var examples = 0
        for number in 0..<60 {
            var seed = SeededGenerator(seed: block * 977 + UInt64(number))
            let candidates = Self.randomCandidates(&seed)
            let faults = try Self.world(candidates).compile().faults
            guard let fault = faults.first(where: { $0.code == .routeUncovered }) else { continue }
            examples += 1
            let naive = NaiveRoute(candidates: candidates)
            #expect(naive.winners(try Example(fault.sentence).point).isEmpty, "\(fault)")
        }
        #expect(examples > 0)
    }

    @Test(arguments: 0..<10)
    func callsGoWhereTheNaiveEvaluatorSends(_ block: UInt64) throws {
        var tables = 0
        for number in 0..<60 {
            var seed = SeededGenerator(seed: block * 31 + UInt64(number))
            let candidates = Self.randomCandidates(&seed)
            guard let table = try Self.world(candidates, strict: false).compile().table else { continue }
            tables += 1
            let naive = NaiveRoute(candidates: candidates)
            let feature = try #require(table.feature("studio.chat"))
            for var point in NaiveRoute.points {
                point.attributes.key = "k\(UInt64.random(in: 0..<1000, using: &seed))"
                point.percentile = StableHash.percentile(of: point.attributes.key, feature: "studio.chat")
                let expected = naive.winners(point).first.map { "p\($0)" }
                let found = table.resolve(feature, point.attributes).binding?.profile.name
                #expect(found == expected, "\(point) \(candidates.map(\.when))")
                guard found == expected else { return }
            }
        }
        #expect(tables > 0)
    }

    @Test(arguments: 0..<10)
    func loopsAreThoseThatAWalkFinds(_ block: UInt64) throws {
        for number in 0..<25 {
            var seed = SeededGenerator(seed: block * 131 + UInt64(number))
            let chain = (0..<Int.random(in: 0...4, using: &seed)).map { _ in
                "p\(UInt64.random(in: 0..<6, using: &seed))"
            }
            var world = try Self.world([World.candidate("p0")])
            world.deployment.routes[0].fallbacks = chain
            var visited = ["p0"]
            var loops = false
            for name in chain {
                if visited.contains(name) { loops = true }
                visited.append(name)
            }
            #expect(world.compile().faults.map(\.code) == (loops ? [.routeCycle] : []), "\(chain)")
        }
    }
}

/// The combination named in a fault: `No candidate of x takes currency=USD, amount=50000.`
private struct Example {
    var point = NaiveRoute.Point(attributes: RouteAttributes(), percentile: 0)

    init(_ sentence: String) throws {
        let text = try #require(sentence.split(separator: " takes ").last?.dropLast())
        for part in text.split(separator: ", ") {
            let pair = part.split(separator: "=")
            guard pair.count == 2 else { continue }
            if pair[0] == "amount" {
                point.attributes.amount = Int64(pair[1])
            } else if pair[0] == "percentage" {
                point.percentile = Int(try #require(Double(pair[1].dropLast())) * 100)
            } else {
                let dimension = try #require(RouteDimension.allCases.first { "\($0)" == pair[0] })
                point.attributes[dimension] = String(pair[1])
            }
        }
    }
}
