// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Registry
import TheatreManifest

extension JSONEncoder {
    /// Sorted keys, so that text can be compared.
    static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

extension FaultTests {
    static let cases: [Case] = routing + instances + manifests

    private static let routing: [Case] = [
        Case(
            code: .routeUnknownFeature,
            sentence: "No plugin has a feature \"studio.chatt\"; did you mean \"studio.chat\"?"
        ) { $0.deployment.routes = [World.route("studio.chatt", [World.candidate("talker")])] },
        Case(
            code: .routeUnknownProfile, sentence: "There is no profile or instance \"talkr\"; did you mean \"talker\"?"
        ) { $0.deployment.routes = [World.route("studio.chat", [World.candidate("talkr")])] },
        Case(
            code: .profileUnknownInstance,
            sentence: "Profile \"fast\" uses instance \"tolker\", which is not declared; did you mean \"talker\"?"
        ) { $0.deployment.profiles = [.init(name: "fast", instance: "tolker", source: Source(file: "r", line: 2))] },
        Case(
            code: .profileDuplicate,
            sentence: "Profile \"embedder\" has the name of another profile or instance, declared at embedder.yaml:1."
        ) {
            $0.deployment.profiles = [.init(name: "embedder", instance: "talker", source: Source(file: "r", line: 2))]
        },
        Case(
            code: .routeIncapable,
            sentence: "Profile \"embedder\" cannot meet studio.chat: it does not provide chat, only embed."
        ) { $0.deployment.routes = [World.route("studio.chat", [World.candidate("embedder")])] },
        Case(
            code: .routeUnmet,
            sentence: "Profile \"talker\" does not meet studio.chat: "
                + "context_tokens: at least 9000 is required, 8000 is stated."
        ) { world in
            world.plugins[2] = try World.plugin(
                "Studio", needs: [World.need("studio.chat", "chat", ["context_tokens": ["min": 9000]])])
            world.deployment.routes = [World.route("studio.chat", [World.candidate("talker")])]
        },
        Case(
            code: .routeUnproved,
            sentence: "Profile \"talker\" is not proved to meet studio.chat: its last probe failed: no answer.",
            probes: Probes([.init(instance: "talker", capability: "chat", failure: "no answer", at: 5)], now: 6)
        ) { $0.deployment.routes = [World.route("studio.chat", [World.candidate("talker")])] },
        Case(
            code: .routeUnproved,
            sentence: "Profile \"talker\" is not proved to meet studio.chat: its last probe is too old.",
            probes: Probes([.init(instance: "talker", capability: "chat", at: 5)], now: 106, maximumAge: 100)
        ) { $0.deployment.routes = [World.route("studio.chat", [World.candidate("talker")])] },
        Case(
            code: .featureUnrouted,
            sentence: "Feature studio.chat of \"studio\" has no route, and \"talker\" does not do: "
                + "languages: all of fr is required, zh, en is stated."
        ) { world in
            world.plugins[2] = try World.plugin(
                "Studio", needs: [World.need("studio.chat", "chat", ["languages": ["all": ["fr"]]])])
        },
        Case(
            code: .featureConflict, sentence: "Feature studio.chat needs embed for \"other\" and chat for \"studio\"."
        ) { world in
            world.plugins.append(try World.plugin("Other", needs: [World.need("studio.chat", "embed")]))
            world.deployment.instances.append(World.instance("other", "Other"))
        },
        Case(
            code: .routeUncovered, sentence: "No candidate of studio.chat takes currency=USD, amount=50000."
        ) { world in
            world.deployment.routes = [
                World.route(
                    "studio.chat",
                    [
                        World.candidate("talker", always.and(.currency, ["USD"]).and(amount: 0...49_999)),
                        World.candidate("talker", always.and(.currency, ["EUR"])),
                    ])
            ]
        },
        Case(
            code: .routeShadowed,
            sentence: "Nothing reaches candidate \"slow\" of studio.chat (region=cn): those before it take all of it."
        ) { world in
            world.deployment.profiles = [.init(name: "slow", instance: "talker", source: Source(file: "r", line: 2))]
            world.deployment.routes = [
                World.route(
                    "studio.chat", [World.candidate("talker"), World.candidate("slow", always.and(.region, ["cn"]))])
            ]
        },
        Case(
            code: .routeAmbiguous,
            sentence: "Candidates \"talker\" and \"slow\" of studio.chat have rank 1 and both take "
                + "currency=EUR, channel=web."
        ) { world in
            world.deployment.profiles = [.init(name: "slow", instance: "talker", source: Source(file: "r", line: 2))]
            world.deployment.routes = [
                World.route(
                    "studio.chat",
                    [
                        World.candidate("talker", always.and(.currency, ["EUR"]), rank: 1),
                        World.candidate("slow", always.and(.channel, ["web"]), rank: 1),
                        World.candidate("talker", rank: 2),
                    ])
            ]
        },
        Case(
            code: .routeAmbiguous,
            sentence:
                "Feature studio.chat of \"studio\" can be met by \"talker\", \"second\", and no route says by which."
        ) { $0.deployment.instances.append(World.instance("second", "Talker")) },
        Case(code: .routeAmbiguous, sentence: "Feature studio.chat is routed twice, first at 90-routes.yaml:7.") {
            let route = World.route("studio.chat", [World.candidate("talker")])
            $0.deployment.routes = [route, route]
        },
        Case(
            code: .routeCycle,
            sentence: "The fallbacks of studio.chat come back to \"talker\": talker → second → talker."
        ) { world in
            world.deployment.instances.append(World.instance("second", "Talker"))
            world.deployment.routes = [
                World.route("studio.chat", [World.candidate("talker")], fallbacks: ["second", "talker"])
            ]
        },
        Case(
            code: .routeFallbackForbidden,
            sentence: "The route of studio.chat has fallbacks, which \"studio\" forbids for it."
        ) { world in
            world.plugins[2] = try World.plugin(
                "Studio", needs: [World.need("studio.chat", "chat", fallback: "forbidden")])
            world.deployment.instances.append(World.instance("second", "Talker"))
            world.deployment.routes = [World.route("studio.chat", [World.candidate("talker")], fallbacks: ["second"])]
        },
    ]

    private static let instances: [Case] = [
        Case(
            code: .instanceUnknownPlugin,
            sentence: "Instance \"extra\" is of plugin \"Taler\", which is not installed; did you mean \"Talker\"?"
        ) { $0.deployment.instances.append(World.instance("extra", "Taler")) },
        Case(
            code: .instanceDuplicate, sentence: "Instance \"embedder\" is declared twice, first at embedder.yaml:1."
        ) { $0.deployment.instances.append(World.instance("embedder", "Embedder")) },
        Case(code: .instanceName, sentence: "\"my__embedder\" cannot name an instance.") {
            $0.deployment.instances[1] = World.instance("my__embedder", "Embedder")
        },
        Case(
            code: .modeForbidden, sentence: "Instance \"embedder\" is to run in mode inproc, which Embedder forbids."
        ) { $0.plugins[1] = try World.plugin("Embedder", provides: ["embed": [:]], ["modes": ["isolated"]]) },
        Case(
            code: .grantMissing,
            sentence: "Embedder needs egress to api.example.com, which instance \"embedder\" is not granted."
        ) {
            $0.plugins[1] = try World.plugin(
                "Embedder", provides: ["embed": [:]], ["grants": ["egress": ["api.example.com"]]])
        },
        Case(
            code: .secretUnknownVault,
            sentence: "Secret \"api_key\" of instance \"embedder\" is to be read by \"volt\", which is not declared; "
                + "did you mean \"vault\"?"
        ) { try $0.addVault(and: "vault:volt/mail") },
        Case(
            code: .secretUnknownVault,
            sentence: "Secret \"api_key\" of instance \"embedder\" is to be read by \"talker\", which reads no secrets."
        ) { try $0.addVault(and: "vault:talker/mail#key") },
        Case(
            code: .secretCircular,
            sentence: "Instance \"vault\" reads secrets from a vault and would wait for \"api_key\", which is in one "
                + "itself."
        ) { world in
            try world.addVault(and: "vault:vault/mail")
            world.deployment.instances[3].grants.secrets = ["api_key": .init(from: "vault:vault/token")]
        },
        Case(
            code: .grantExcess,
            sentence: "Instance \"embedder\" is granted secret \"api_kee\" (did you mean \"api_key\"?), "
                + "which Embedder never asks for."
        ) {
            $0.plugins[1] = try World.plugin(
                "Embedder", provides: ["embed": [:]],
                ["grants": ["secrets": [["name": "api_key", "places": ["authorization"], "optional": true]]]])
            $0.deployment.instances[1].grants.secrets["api_kee"] = .init(from: "env:KEY")
        },
        Case(
            code: .httpRouteInvalid,
            sentence: "GET /x of instance \"first\" is of rate class \"defualt\", which there is not; "
                + "did you mean \"default\"?"
        ) {
            $0.plugins.append(try World.plugin("First", served(["/x"], ["rate": "defualt"])))
            $0.deployment.instances.append(World.instance("first", "First"))
        },
        Case(
            code: .httpRouteConflict,
            sentence: "GET /api/{thing}/list of instance \"second\" matches requests that are also served by \"first\" "
                + "as /api/chips/{id}."
        ) {
            $0.plugins.append(try World.plugin("First", served(["/api/chips/{id}", "/api/chips/new"])))
            $0.plugins.append(try World.plugin("Second", served(["/api/{thing}/list", "/api/{thing}/{id}/{part}"])))
            $0.deployment.instances += [World.instance("first", "First"), World.instance("second", "Second")]
        },
        Case(
            code: .httpRouteConflict,
            sentence:
                "GET /api/runs/{run}:stop of instance \"second\" is also served by \"first\" as /api/runs/{id}:stop."
        ) {
            $0.plugins.append(try World.plugin("First", served(["/api/runs/{id}:stop", "/api/runs/{id}"])))
            $0.plugins.append(try World.plugin("Second", served(["/api/runs/{run}:stop"])))
            $0.deployment.instances += [World.instance("first", "First"), World.instance("second", "Second")]
        },
        Case(
            code: .httpRouteUnguarded,
            sentence:
                "GET /api/projects/{id} of instance \"first\" is of a project, and no instance tells who belongs to "
                + "one."
        ) {
            let routes = served(["/api/projects/{id}"], ["scope": "project:{id}", "role": "viewer"])
            $0.plugins.append(try World.plugin("First", routes))
            $0.deployment.instances += [World.instance("first", "First")]
        },
    ]

    private static let manifests: [Case] = [
        Case(
            code: .capabilityDuplicate, sentence: "Instances \"books\" and \"more\" provide ledger, which only one may."
        ) {
            $0.plugins.append(try World.plugin("Books", provides: ["ledger": [:]]))
            $0.deployment.instances += [World.instance("books", "Books"), World.instance("more", "Books")]
        },
        Case(
            code: .contractIncomplete,
            sentence: "Payer provides pay without Query to reconcile Create, Refund, which the contract demands."
        ) {
            $0.plugins.append(try World.plugin("Payer", provides: ["pay": [:]], ["operations": ["pay/Create"]]))
            $0.deployment.instances.append(World.instance("payer", "Payer"))
        },
        Case(
            code: .attributeUndeclared,
            sentence:
                "Embedder states dimension, an attribute that embed does not declare; did you mean \"dimensions\"?"
        ) { $0.plugins[1] = try World.plugin("Embedder", provides: ["embed": ["dimension": 3]]) },
        Case(
            code: .attributeType, sentence: "Embedder states dimensions of embed as a string; an integer is expected."
        ) { $0.plugins[1] = try World.plugin("Embedder", provides: ["embed": ["dimensions": "3"]]) },
        Case(
            code: .attributeType,
            sentence: "Feature other.chat of Other requires vision in a way it cannot be; it is a boolean."
        ) { world in
            world.plugins.append(
                try World.plugin(
                    "Other", needs: [World.need("other.chat", "chat", ["vision": ["min": 1]], whenUnrouted: "degrade")])
            )
            world.deployment.instances.append(World.instance("other", "Other"))
        },
        Case(code: .callHostOnly, sentence: "Other calls pay/Settle, which only the host may call.") { world in
            world.plugins.append(
                try World.plugin(
                    "Other", needs: [World.need("other.pay", "pay", whenUnrouted: "degrade")],
                    ["calls": ["other.pay/Settle"]]))
            world.deployment.instances.append(World.instance("other", "Other"))
        },
        Case(
            code: .manifestOperationUnknown,
            sentence: "Embedder provides embed/Embd, which the contract does not have; did you mean \"Embed\"?"
        ) {
            $0.plugins[1] = try World.plugin(
                "Embedder", provides: ["embed": [:]], ["operations": ["embed/Embed", "embed/Embd"]])
        },
        Case(
            code: .manifestCapabilityUnknown,
            sentence: "Embedder provides embedd, which none of its contracts describes; did you mean \"embed\"?"
        ) { $0.plugins[1] = try World.plugin("Embedder", provides: ["embedd": [:]]) },
    ]

    /// A manifest's operations and routes for these paths.
    private static func served(_ paths: [String], _ more: [String: JSONValue] = [:]) -> [String: JSONValue] {
        [
            "provides": [["capability": "serve"]], "operations": ["serve/Handle"],
            "routes": .array(
                paths.map { path in
                    let route: [String: JSONValue] = [
                        "method": "GET", "path": .string(path), "operation": "serve/Handle", "access": "user",
                        "resource": "r", "action": "a", "scope": "none", "audit": "none", "rate": "default",
                        "body_limit": 0, "idempotent": true, "request": "r", "response": "r",
                    ]
                    return .object(route.merging(more) { $1 })
                }),
        ]
    }
}
