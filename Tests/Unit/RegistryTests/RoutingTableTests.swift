// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import SeededRandom
import Testing
import TheatreManifest

struct RoutingTableTests {
    /// Three profiles of one instance, by `route`.
    private func table(
        _ candidates: [RouteDeclaration.Candidate], fallbacks: [String] = []
    ) throws -> (RoutingTable, FeatureID) {
        var world = try RoutePropertyTests.world(candidates)
        world.deployment.routes[0].fallbacks = fallbacks
        let compilation = world.compile()
        let table = try #require(compilation.table, "\(compilation.faults)")
        return (table, try #require(table.feature("studio.chat")))
    }

    @Test func theOnlyInstanceThatCanIsRoutedWithoutARoute() throws {
        let table = try #require(try World.small().compile().table)
        let explanation = try #require(table.explain("studio.chat"))
        #expect(explanation.instance == "talker")
        #expect(explanation.reason == "the only enabled instance that can meet it, routed without a route")
        #expect(explanation.others.map(\.profile) == ["embedder", "studio"])
        #expect(explanation.others[0].reason == "does not provide chat, only embed")
    }

    @Test func fallbacksComeInOrder() throws {
        let (table, feature) = try table([World.candidate("p0")], fallbacks: ["p2", "p1"])
        let binding = try #require(table.resolve(feature, RouteAttributes()).binding)
        #expect(binding.fallbacks.map(\.profile.name) == ["p2", "p1"])
        #expect(table.instances[binding.instanceIndex].declaration.name == "talker")
        #expect(table.allowsFallback(feature))
    }

    @Test func weightsShareByKeyAndStayWithIt() throws {
        let (table, feature) = try table([World.candidate("p0", weight: 3), World.candidate("p1", weight: 1)])
        var counts: [String: Int] = [:]
        for number in 0..<20_000 {
            var attributes = RouteAttributes()
            attributes.key = "user-\(number)"
            let name = try #require(table.resolve(feature, attributes).binding?.profile.name)
            #expect(table.resolve(feature, attributes).binding?.profile.name == name)
            counts[name, default: 0] += 1
        }
        #expect((14_500...15_500).contains(counts["p0"] ?? 0), "\(counts)")
    }

    @Test func percentagesTakeTheirPart() throws {
        let (table, feature) = try table([
            World.candidate("p0", always.and(percentage: 0..<1000)), World.candidate("p1"),
        ])
        let taken = (0..<20_000).filter { number in
            var attributes = RouteAttributes()
            attributes.key = "user-\(number)"
            return table.resolve(feature, attributes).binding?.profile.name == "p0"
        }
        #expect((1_800...2_200).contains(taken.count))
    }

    @Test func stableHashesNeverChange() {
        #expect(StableHash.of("") == 0xcbf2_9ce4_8422_2325)
        #expect(StableHash.of("a") == 0xaf63_dc4c_8601_ec8c)
        #expect(StableHash.of("foobar") == 0x8594_4171_f739_67e8)
    }

    @Test(arguments: ["", "a", "fifteen-letters", "sixteen-letters!", "汉语", "a longer tenant than fits in two words"])
    func valuesOfAnyLengthAreMatched(_ tenant: String) throws {
        let names = [tenant, "other", tenant + "x"].filter { !$0.isEmpty }
        let (table, feature) = try table([World.candidate("p0", always.and(.tenant, names)), World.candidate("p1")])
        var attributes = RouteAttributes()
        for (value, expected) in [(tenant, tenant.isEmpty ? "p1" : "p0"), (tenant + "x", "p0"), (tenant + "y", "p1")] {
            attributes.tenant = value
            #expect(table.resolve(feature, attributes).binding?.profile.name == expected)
        }
    }

    @Test func explainSaysWhyEachOtherLost() throws {
        let (table, _) = try table([
            World.candidate("p0", always.and(.currency, ["USD", "EUR"]).and(amount: 0...100)),
            World.candidate("p1", always.and(.region, ["cn"])), World.candidate("p2"),
        ])
        var attributes = RouteAttributes()
        attributes.currency = "EUR"
        attributes.amount = 500
        let explanation = try #require(table.explain("studio.chat", attributes))
        #expect(explanation.profile == "p2")
        #expect(
            explanation.candidates.map(\.reason) == [
                "amount is 500, it takes 0 to 100", "region is not stated, it takes cn", "it takes every call",
            ])
        attributes.amount = 50
        let second = try #require(table.explain("studio.chat", attributes))
        #expect(second.profile == "p0")
        #expect(second.candidates[2].reason == "\"p0\" comes before it and takes the call")
        #expect(
            second.text.hasPrefix("studio.chat needs chat\n→ p0 (instance talker): by the route at 90-routes.yaml:7"))
        #expect(try JSONValue(json: second.json())["profile"] == "p0")
    }

    @Test func explainAgreesWithResolveOnRandomRoutes() throws {
        for number in 0..<100 {
            var seed = SeededGenerator(seed: UInt64(number))
            let candidates = RoutePropertyTests.randomCandidates(&seed)
            guard let table = try RoutePropertyTests.world(candidates, strict: false).compile().table else { continue }
            let feature = try #require(table.feature("studio.chat"))
            for _ in 0..<50 {
                var attributes = try #require(NaiveRoute.points.randomElement(using: &seed)).attributes
                attributes.key = "\(UInt64.random(in: 0..<1000, using: &seed))"
                let explanation = try #require(table.explain("studio.chat", attributes))
                #expect(explanation.candidates.first(where: \.chosen)?.profile == explanation.profile)
                #expect(table.resolve(feature, attributes).binding?.profile.name == explanation.profile)
            }
        }
    }
}
