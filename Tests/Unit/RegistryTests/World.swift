// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import TheatreManifest

/// A small world of plugins and a deployment of them, without faults, to be bent by tests.
struct World {
    var plugins: [InstalledPlugin]
    var deployment: Deployment

    func compile(probes: Probes = Probes()) -> Compilation {
        Registry.compile(plugins: plugins, deployment: deployment, probes: probes)
    }

    /// A chat model provider, an embedding provider, a ledger and a studio that needs them.
    static func small() throws -> World {
        World(
            plugins: try [
                plugin("Talker", provides: ["chat": ["context_tokens": 8000, "languages": ["zh", "en"]]]),
                plugin("Embedder", provides: ["embed": ["dimensions": 1536]]),
                plugin("Studio", needs: [need("studio.chat", "chat", ["context_tokens": ["min": 4000]])]),
            ],
            deployment: Deployment(instances: [
                instance("talker", "Talker"), instance("embedder", "Embedder"), instance("studio", "Studio"),
            ]))
    }

    static let contracts = ContractFacts([
        .init(
            name: "chat", operations: [.init("Ask")],
            attributes: [
                .init("context_tokens", .integer), .init("languages", .strings), .init("vision", .boolean),
                .init("family", .string),
            ]),
        .init(name: "embed", operations: [.init("Embed")], attributes: [.init("dimensions", .integer)]),
        .init(name: "theatre.secretsource.v1.Source", operations: [.init("Read")]),
        .init(name: "serve", operations: [.init("Handle")]),
        .init(name: "ledger", operations: [.init("Post")], many: false),
        .init(
            name: "pay",
            operations: [
                operation("Create") {
                    $0.reconcile = "Query"; $0.sideEffect = true
                },
                operation("Query") { $0.optional = true }, operation("Refund") { _ in },
                operation("Settle") {
                    $0.optional = true; $0.hostOnly = true
                },
            ]),
    ])

    static func operation(
        _ name: String, _ change: (inout ContractFacts.Operation) -> Void
    ) -> ContractFacts.Operation {
        var operation = ContractFacts.Operation(name)
        change(&operation)
        return operation
    }

    /// An instance that reads secrets, and one that has a secret from somewhere.
    mutating func addVault(and source: String) throws {
        let secrets: JSONValue = ["secrets": [["name": "api_key", "use": "lease", "optional": true]]]
        plugins[1] = try Self.plugin("Embedder", provides: ["embed": [:]], ["grants": secrets])
        plugins.append(
            try Self.plugin("Vault", provides: ["theatre.secretsource.v1.Source": [:]], ["grants": secrets]))
        deployment.instances.append(Self.instance("vault", "Vault"))
        deployment.instances[1].grants.secrets = ["api_key": .init(from: source)]
    }

    static func need(
        _ feature: String, _ capability: String, _ requires: JSONValue = [:], fallback: String = "allowed",
        whenUnrouted: String = "refuse"
    ) -> JSONValue {
        [
            "feature": .string(feature), "capability": .string(capability), "requires": requires,
            "fallback": .string(fallback), "when_unrouted": .string(whenUnrouted),
        ]
    }

    /// A plugin that provides all operations of its capabilities, with `changes` on top of its manifest.
    static func plugin(
        _ name: String, provides: [String: JSONValue] = [:], needs: [JSONValue] = [],
        _ changes: [String: JSONValue] = [:]
    ) throws -> InstalledPlugin {
        let operations = provides.keys.sorted().flatMap { capability in
            (contracts.capabilities[capability]?.operations ?? []).map { JSONValue.string("\(capability)/\($0.name)") }
        }
        var manifest: [String: JSONValue] = [
            "manifest": 1, "name": .string(name), "version": "1.0.0", "operations": .array(operations),
            "provides": .array(
                provides.sorted { $0.key < $1.key }.map { ["capability": .string($0.key), "attributes": $0.value] }),
            "needs": .array(needs),
        ]
        manifest.merge(changes) { _, new in new }
        return InstalledPlugin(
            manifest: try Manifest(.object(manifest)), contracts: contracts, source: Source(file: "lib\(name).so"))
    }

    static func instance(_ name: String, _ plugin: String) -> InstanceDeclaration {
        InstanceDeclaration(name: name, plugin: plugin, map: SourceMap(file: "\(name).yaml", lines: ["": 1]))
    }

    static func candidate(
        _ profile: String, _ when: RouteConditions = RouteConditions(), weight: Int? = nil, rank: Int? = nil,
        fallbacks: [String]? = nil, line: Int = 1
    ) -> RouteDeclaration.Candidate {
        .init(
            profile, when: when, weight: weight, rank: rank, fallbacks: fallbacks,
            source: Source(file: "90-routes.yaml", line: line))
    }

    static func route(
        _ feature: String, strict: Bool = true, _ candidates: [RouteDeclaration.Candidate], fallbacks: [String] = []
    ) -> RouteDeclaration {
        RouteDeclaration(
            feature: feature, strict: strict, candidates: candidates, fallbacks: fallbacks,
            source: Source(file: "90-routes.yaml", line: 7))
    }
}

let always = RouteConditions()

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// For brevity in tests.
    public init(stringLiteral value: String) { self = .string(value) }
    /// For brevity in tests.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// For brevity in tests.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// For brevity in tests.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// For brevity in tests.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { first, _ in first }))
    }
}
