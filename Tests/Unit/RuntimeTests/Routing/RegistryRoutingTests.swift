// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Registry
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest

@testable import Runtime

/// From a compiled routing table and the ports that serve to the candidates of one call.
@Suite struct RegistryRoutingTests {
    private struct Bench {
        let dispatcher = Dispatcher(clock: SystemClock())
        let table: RoutingTable
        let caller: InstancePort
        var ports: [String: InstancePort]

        /// A studio that needs a chat; two talkers; a route that sends EUR to the second.
        init(candidates: [RouteDeclaration.Candidate], fallbacks: [String] = [], fallback: String = "allowed") throws {
            table = try Self.compile(candidates, fallbacks, fallback)
            caller = dispatcher.makePort(
                Self.identity("studio"), operations: [],
                calls: [
                    PortCall("studio.chat/Ask", .feature("studio.chat", operation: "chat/Ask", fallback: true)),
                    PortCall("studio.none/Ask", .feature("studio.none", operation: "chat/Ask", fallback: true)),
                ])
            ports = ["studio": caller]
            for name in ["talker", "second"] {
                ports[name] = dispatcher.makePort(
                    Self.identity(name), operations: [PortOperation("chat/Ask", OperationTraits())], calls: [])
            }
        }

        func resolve(_ attributes: HostRouteAttributes = HostRouteAttributes(), call: Int = 0) throws -> Resolution {
            let routing = RegistryRouting(table: table, ports: ports)
            let bytes: [UInt8] = try attributes.serializedBytes()
            return bytes.withUnsafeBytes {
                routing.resolve(
                    RouteQuery(
                        caller: caller, call: call, feature: "studio.chat", operation: "chat/Ask", attributes: $0,
                        context: .system))
            }
        }

        private static func identity(_ name: String) -> InstanceIdentity {
            InstanceIdentity(instance: name, plugin: name.capitalized, generation: 1, grants: ResolvedGrants())
        }

        private static func compile(
            _ candidates: [RouteDeclaration.Candidate], _ fallbacks: [String], _ fallback: String
        ) throws -> RoutingTable {
            let contracts = ContractFacts([
                .init(name: "chat", operations: [.init("Ask")], attributes: [], many: true)
            ])
            func plugin(_ json: String) throws -> InstalledPlugin {
                InstalledPlugin(
                    manifest: try Manifest(json: Data(json.utf8)), contracts: contracts, source: Source(file: "x"))
            }
            let plugins = [
                try plugin(
                    #"{"manifest":1,"name":"Talker","version":"1.0.0","provides":[{"capability":"chat"}],"#
                        + #""operations":["chat/Ask"]}"#
                ),
                try plugin(
                    #"{"manifest":1,"name":"Studio","version":"1.0.0","calls":["studio.chat/Ask"],"#
                        + #""needs":[{"feature":"studio.chat","capability":"chat","fallback":"\#(fallback)"}]}"#
                ),
            ]
            func instance(_ name: String, _ plugin: String) -> InstanceDeclaration {
                InstanceDeclaration(name: name, plugin: plugin, map: SourceMap(file: name))
            }
            var deployment = Deployment(instances: [
                instance("talker", "Talker"), instance("second", "Talker"), instance("studio", "Studio"),
            ])
            deployment.profiles = [
                ProfileDeclaration(
                    name: "fine", instance: "second", parameters: .object(["model": .string("large")]),
                    source: Source(file: "r"))
            ]
            deployment.routes = [
                RouteDeclaration(
                    feature: "studio.chat", candidates: candidates, fallbacks: fallbacks, source: Source(file: "r"))
            ]
            let compilation = Registry.compile(plugins: plugins, deployment: deployment)
            guard let table = compilation.table else { throw Refused(faults: "\(compilation.faults)") }
            return table
        }

        struct Refused: Error { let faults: String }
    }

    private static func candidate(_ profile: String, _ when: RouteConditions = RouteConditions())
        -> RouteDeclaration.Candidate
    {
        RouteDeclaration.Candidate(profile, when: when, source: Source(file: "r"))
    }

    private func names(_ resolution: Resolution) -> [String] {
        switch resolution {
        case .single(let one): [one.profile]
        case .ordered(let many, _): many.map(\.profile)
        case .unavailable(let error): [error.reason]
        }
    }

    @Test func oneCandidateIsFixed() throws {
        #expect(names(try Bench(candidates: [Self.candidate("talker")]).resolve()) == ["talker"])
    }

    @Test func attributesChooseAmongCandidates() throws {
        let bench = try Bench(candidates: [
            Self.candidate("fine", RouteConditions().and(.currency, ["EUR"])), Self.candidate("talker"),
        ])
        #expect(names(try bench.resolve()) == ["talker"])
        #expect(names(try bench.resolve(.with { $0.currency = "EUR" })) == ["fine"])
    }

    @Test func theProfilesParametersTravelInTheContext() throws {
        let bench = try Bench(candidates: [Self.candidate("fine")])
        guard case .single(let candidate) = try bench.resolve() else {
            Issue.record("not one candidate")
            return
        }
        let context = try HostContext(serializedBytes: candidate.context)
        #expect(context.profile == "fine")
        #expect(context.parameters == #"{"model":"large"}"#)
        #expect(context.caller == "studio")
    }

    @Test func fallbacksFollowInOrder() throws {
        let bench = try Bench(candidates: [Self.candidate("talker")], fallbacks: ["fine"])
        #expect(names(try bench.resolve()) == ["talker", "fine"])
    }

    @Test func whoDoesNotServeIsSkippedAndNamed() throws {
        var bench = try Bench(candidates: [Self.candidate("talker")], fallbacks: ["fine"])
        bench.ports["talker"] = nil
        guard case .ordered(let candidates, let skipped) = try bench.resolve() else {
            Issue.record("not ordered")
            return
        }
        #expect(candidates.map(\.profile) == ["fine"])
        #expect(skipped == "talker does not serve")
        bench.ports["second"] = nil
        guard case .unavailable(let error) = try bench.resolve() else {
            Issue.record("somebody serves")
            return
        }
        #expect(error.reason == "instance.closed")
        #expect(error.message.contains("talker does not serve; second does not serve"))
    }

    @Test func aFeatureWithoutARouteIsUnavailable() throws {
        #expect(names(try Bench(candidates: [Self.candidate("talker")]).resolve(call: 1)) == ["route.unrouted"])
    }
}
