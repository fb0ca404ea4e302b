// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Registry
import SeededRandom
import Testing
import TheatreManifest

/// Each fault code by one deployment that has exactly that fault, with the whole of its message.
struct FaultTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let code: FaultCode
        let sentence: String
        var probes = Probes()
        let bend: @Sendable (inout World) throws -> Void
        var testDescription: String { code.rawValue }
    }

    @Test func aDeploymentWithoutFaultsIsATable() throws {
        let compilation = try World.small().compile()
        #expect(compilation.faults == [])
        #expect(compilation.table?.featureNames == ["studio.chat"])
    }

    @Test(arguments: cases)
    func eachFaultIsFoundAlone(_ fault: Case) throws {
        var world = try World.small()
        try fault.bend(&world)
        let faults = world.compile(probes: fault.probes).faults
        #expect(faults.map(\.code) == [fault.code], "\(faults)")
        #expect(faults.first?.sentence == fault.sentence)
        #expect(faults.first?.fix.isEmpty == false)
        #expect(faults.first?.source.file.isEmpty == false)
    }

    /// What it may connect to is what its configuration names: hosts with their ports, or with the one that is for all.
    @Test func serversAreThoseOfTheConfiguration() throws {
        func faults(_ config: JSONValue, _ granted: [(String, Int)]) throws -> [String] {
            var world = try World.small()
            world.plugins[1] = try World.plugin(
                "Embedder", provides: ["embed": [:]],
                [
                    "grants": ["connect": ["config:/hosts:/port"]],
                    "configuration": [
                        "type": "object",
                        "properties": [
                            "hosts": ["type": "array", "default": ["db.internal"]],
                            "port": ["type": "integer", "default": 5432],
                        ],
                    ],
                ])
            world.deployment.instances[1].config = config
            world.deployment.instances[1].grants.connect = granted.map { .init(host: $0.0, port: $0.1) }
            return world.compile().faults.map(\.sentence)
        }
        let missing = "Embedder needs connect to db.internal:5432, which instance \"embedder\" is not granted."
        #expect(try faults([:], []) == [missing])
        #expect(try faults([:], [("db.internal", 5432)]) == [])
        #expect(try faults(["port": 6000], [("db.internal", 6000)]) == [])
        #expect(try faults(["hosts": ["a:1", "b"], "port": 2], [("a", 1), ("b", 2)]) == [])
        #expect(try faults(["hosts": ["/run/postgresql"]], []) == [])
        #expect(
            try faults(["hosts": ["/run/postgresql"]], [("db.internal", 5432)]) == [
                "Instance \"embedder\" is granted connect to db.internal:5432, which Embedder never asks for."
            ])
    }

    @Test func everyCodeHasACase() {
        let elsewhere: Set<FaultCode> = [
            .declarationInvalid, .instanceConfig, .routeTooComplex, .httpRouteInvalid,
        ]
        #expect(Set(Self.cases.map(\.code)).union(elsewhere) == Set(FaultCode.allCases))
    }

    @Test func configurationIsCheckedByTheGivenFunction() throws {
        var world = try World.small()
        world.deployment.instances[0].config = ["depth": "deep"]
        world.deployment.instances[0].map.lines["/config/depth"] = 9
        let faults = compile(plugins: world.plugins, deployment: world.deployment) { _, value in
            value["depth"] == nil
                ? [] : [ConfigFault(pointer: "/depth", expected: "an integer is expected", found: "a string")]
        }.faults
        #expect(faults.map(\.code) == [.instanceConfig])
        #expect(faults.first?.source == Source(file: "talker.yaml", line: 9))
        #expect(
            faults.first?.sentence == "config/depth of instance \"talker\" is a string; an integer is expected.")
    }

    @Test func faultsAreSortedAndEncodeFlat() throws {
        var world = try World.small()
        world.deployment.routes = [
            World.route("studio.chat", [World.candidate("nobody", line: 12), World.candidate("noone", line: 3)]),
            World.route("studio.nothing", [World.candidate("talker")]),
        ]
        let faults = world.compile().faults
        #expect(faults == faults.sorted())
        #expect(faults.map(\.source.line) == [3, 7, 12])
        let json = String(decoding: try JSONEncoder.sorted.encode(faults[2]), as: UTF8.self)
        #expect(
            json == #"{"code":"route.unknown_profile","file":"90-routes.yaml","#
                + #""fix":"Name a declared profile or instance.","line":12,"#
                + #""sentence":"There is no profile or instance \"nobody\"."}"#)
    }

    @Test func whatADisabledInstanceNeedsOrProvidesDoesNotCount() throws {
        var world = try World.small()
        world.deployment.instances[0].enabled = false
        #expect(world.compile().faults.map(\.code) == [.featureUnrouted])
        world.deployment.instances[2].enabled = false
        #expect(world.compile().table?.featureNames == [])
    }

    @Test func aFeatureThatCanBeDoneWithoutIsNoFault() throws {
        var world = try World.small()
        world.plugins[2] = try World.plugin(
            "Studio", needs: [World.need("studio.pay", "pay", whenUnrouted: "degrade")])
        let table = try #require(world.compile().table)
        #expect(table.unroutedFeatures == ["studio.pay"])
        let feature = try #require(table.feature("studio.pay"))
        #expect(table.resolve(feature, RouteAttributes()).binding == nil)
    }

    @Test func aRouteThatIsNotStrictMayLeaveCallsOut() throws {
        var world = try World.small()
        let when = always.and(.currency, ["EUR"])
        world.deployment.routes = [World.route("studio.chat", strict: false, [World.candidate("talker", when)])]
        let table = try #require(world.compile().table)
        guard case .unmatched = table.resolve(try #require(table.feature("studio.chat")), RouteAttributes()) else {
            Issue.record("a call that nothing takes was routed")
            return
        }
    }

    @Test func conditionsBeyondBoundsAreGivenUp() throws {
        var world = try World.small()
        var seed = SeededGenerator(seed: 7)
        let candidates = (0..<200).map { _ in
            var when = always
            for dimension in RouteDimension.allCases {
                when = when.and(
                    dimension, (0..<30).filter { _ in Int.random(in: 0..<3, using: &seed) > 0 }.map { "v\($0)" })
            }
            return World.candidate("talker", when)
        }
        world.deployment.routes = [World.route("studio.chat", candidates)]
        #expect(world.compile().faults.map(\.code) == [.routeTooComplex])
    }
}
