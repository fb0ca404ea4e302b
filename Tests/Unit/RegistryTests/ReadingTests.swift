// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import Testing
import TheatreManifest

struct ReadingTests {
    private let map = SourceMap(file: "20-talker.yaml", lines: ["": 1, "/grants": 4, "/grants/egress/0": 6])

    @Test func anInstanceFileIsRead() throws {
        let instance = try InstanceDeclaration(
            reading: [
                "plugin": "Talker", "critical": true, "mode": "isolated", "config": ["depth": 3],
                "grants": [
                    "egress": [
                        "API.example.com", "b.example.com:8443", ["host": "10.0.0.1", "port": 80, "private": true],
                    ],
                    "secrets": ["api_key": ["from": "env:KEY", "hosts": ["api.example.com"]]],
                    "keys": ["token": ["key": "session"]], "publishes": ["talk"], "state_folder": true,
                ],
            ], map: map)
        #expect(instance.name == "talker")
        #expect(instance.enabled && instance.critical && instance.mode == "isolated")
        #expect(
            instance.grants.egress == [
                .init(host: "api.example.com"), .init(host: "b.example.com", port: 8443),
                .init(host: "10.0.0.1", port: 80, isPrivate: true),
            ])
        #expect(instance.grants.secrets["api_key"] == .init(from: "env:KEY", hosts: ["api.example.com"]))
        #expect(instance.grants.keys == ["token": "session"])
        #expect(instance.grants.publishes == ["talk"] && instance.grants.stateFolder)
        #expect(instance.config["depth"] == 3)
    }

    @Test(
        arguments: [
            (
                ["plugin": "T", "grant": [:]],
                "20-talker.yaml:1: declaration.invalid: /grant is unknown; did you mean \"grants\"? Correct or remove the key."
            ),
            (
                ["plugin": "T", "grants": ["egress": ["https://x/"]]],
                "20-talker.yaml:6: declaration.invalid: /grants/egress/0 is \"https://x/\"; host, host:port or *.domain is expected, without a scheme. Correct the value."
            ),
            (
                ["plugin": "T", "grants": ["secrets": ["k": ["from": "sk-123"]]]],
                "20-talker.yaml:4: declaration.invalid: /grants/secrets/k/from does not say where the secret is; env:NAME, file:PATH, store:NAME or vault:INSTANCE/PATH#FIELD is expected. Correct the value."
            ),
            (["instance": "t"], "20-talker.yaml:1: declaration.invalid: /plugin is missing. Correct the value."),
            (
                ["plugin": "T", "mode": "inprocess"],
                "20-talker.yaml:1: declaration.invalid: /mode is \"inprocess\"; one of inproc, isolated, remote is expected. Correct the value."
            ),
        ] as [(JSONValue, String)])
    func aWrongInstanceFileIsRefused(_ value: JSONValue, _ message: String) {
        let error = #expect(throws: ManifestError.self) { try InstanceDeclaration(reading: value, map: map) }
        guard let error else { return }
        #expect(Fault(error, in: map).description == message)
    }

    @Test func aRoutesFileIsRead() throws {
        let routing = try RoutingDeclaration(
            reading: [
                "profiles": [["name": "fast", "instance": "talker", "parameters": ["model": "small"]]],
                "routes": [
                    [
                        "feature": "studio.chat", "strict": false, "fallbacks": ["talker"],
                        "candidates": [
                            [
                                "profile": "fast", "weight": 2,
                                "when": [
                                    "tenant": ["b", "a"], "currency": "USD", "amount": ["min": 100],
                                    "percentage": ["from": .number(2.5), "to": 10],
                                ],
                            ]
                        ],
                    ]
                ],
            ], map: SourceMap(file: "90-routes.yaml", lines: ["/routes/0/candidates/0": 9]))
        let candidate = routing.routes[0].candidates[0]
        #expect(routing.profiles[0].parameters["model"] == "small")
        #expect(!routing.routes[0].strict && routing.routes[0].fallbacks == ["talker"])
        #expect(candidate.weight == 2 && candidate.source.line == 9)
        #expect(
            candidate.when
                == always.and(.tenant, ["a", "b"]).and(.currency, ["USD"]).and(amount: 100...(.max))
                .and(percentage: 250..<1000))
    }

    @Test(
        arguments: [
            (["amount": ["min": 5, "max": 4]], "/routes/0/candidates/0/when/amount has a min above its max"),
            (
                ["percentage": ["from": 20, "to": 20]],
                "/routes/0/candidates/0/when/percentage is empty: from must be below to"
            ),
            (
                ["percentage": ["to": 101]],
                "/routes/0/candidates/0/when/percentage/to must be a number from 0 to 100 with at most two decimals"
            ),
            (["tenant": []], "/routes/0/candidates/0/when/tenant takes nothing; leave it out to take any tenant"),
            (["curency": "USD"], "/routes/0/candidates/0/when/curency is unknown; did you mean \"currency\"?"),
            (
                ["amount": ["min": -1]],
                "/routes/0/candidates/0/when/amount/min is -1; 0 to 9223372036854775807 is expected"
            ),
        ] as [(JSONValue, String)])
    func wrongConditionsAreRefused(_ when: JSONValue, _ message: String) {
        let file: JSONValue = ["routes": [["feature": "f", "candidates": [["profile": "p", "when": when]]]]]
        let error = #expect(throws: ManifestError.self) {
            try RoutingDeclaration(reading: file, map: SourceMap(file: "90-routes.yaml"))
        }
        #expect(error?.description == message)
    }
}

struct GrantTests {
    /// What an instance with this grant and configuration comes to, where its plugin asks for `asked`.
    private func faults(_ asked: String, _ granted: String, _ config: JSONValue = [:]) throws -> [FaultCode] {
        var world = try World.small()
        world.plugins[1] = try World.plugin(
            "Embedder", provides: ["embed": [:]],
            [
                "grants": ["egress": [.string(asked)]],
                "configuration": ["properties": ["url": ["default": "https://d.io"]]],
            ])
        world.deployment.instances[1].config = config
        world.deployment.instances[1].grants = try InstanceDeclaration(
            reading: ["plugin": "E", "grants": ["egress": granted.isEmpty ? [] : [.string(granted)]]],
            map: SourceMap(file: "e")
        ).grants
        return world.compile().faults.map(\.code)
    }

    @Test(arguments: [
        ("api.io", "api.io"), ("api.io", "api.io:443"), ("*.io", "deep.api.io"), ("*", "any.host:99"), ("self", "self"),
        ("config:/url", "d.io"), ("*.io", "*.api.io"),
    ])
    func aGrantWithinWhatIsAskedIsFine(_ asked: String, _ granted: String) throws {
        #expect(try faults(asked, granted) == [])
    }

    @Test(arguments: [("api.io", "api.io:8443"), ("*.io", "io"), ("api.io", "*.io"), ("self", "api.io"), ("*.io", "*")])
    func aGrantBeyondIsExcessAndWhatIsAskedMissing(_ asked: String, _ granted: String) throws {
        #expect(Set(try faults(asked, granted)) == [.grantMissing, .grantExcess])
    }

    @Test func aConfiguredURLNamesTheHost() throws {
        #expect(try faults("config:/url", "h.io:9000", ["url": "http://h.io:9000/v1"]) == [])
        #expect(try faults("config:/url", "h.io:80", ["url": "http://user@h.io/v1"]) == [])
        #expect(Set(try faults("config:/url", "d.io", ["url": "http://h.io"])) == [.grantMissing, .grantExcess])
        #expect(try faults("config:/other", "") == [])
    }
}
