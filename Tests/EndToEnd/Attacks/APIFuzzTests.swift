// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOHTTP1
import SeededRandom
import Testing
import TheatreManifest

/// An independent judge sends what the API description allows and forbids, and holds each answer against it: no 500, no
/// status, type, header or schema that is not described, nothing taken that is forbidden.
@Suite(.serialized) struct APIFuzzTests {
    /// Plugins that an operator stops answer 503, as they must: `AdminTests`.
    private static let operating = #"admin\.(Disable|Enable|Quarantine|Release|Rollback|Swap)"#

    @Test func theServerAnswersAsItDescribesItself() async throws {
        let attacked = try await AttackedServer()
        let server = attacked.server
        let fuzzer = try await APIFuzzer()
        let person = try await Account.new(on: server)
        _ = try await person.buy(100)
        let plan = FuzzPlan.current
        let user = try attacked.lasting(person.client.token)
        let admin = try attacked.lasting(person.client.token, ["roles": .array([.string("admin"), .string("user")])])
        if plan.minutes == 0 {
            // Every value at the edge of its schema, and beyond: the same each time.
            let edges = ["--phases", "coverage"]
            try await hold(fuzzer, server, token: user, seed: 1, options: edges)
            let tenant = [
                "--include-path-regex", "^/api/v1/(admin|auth/roles|config|costs|routes)",
                "--exclude-operation-id-regex", Self.operating,
            ]
            try await hold(fuzzer, server, token: admin, seed: 1, options: edges + tenant)
        } else {
            print("the API is fuzzed for \(plan.minutes) minutes with the seed \(plan.seed)")
            let long = ["--max-time", "\(plan.minutes * 30)", "--max-examples", "\(50 * plan.minutes)"]
            try await hold(fuzzer, server, token: user, seed: plan.seed, options: long)
            let operating = ["--exclude-operation-id-regex", Self.operating]
            try await hold(fuzzer, server, token: admin, seed: plan.seed, options: long + operating)
        }
        try await wasThorough(server)
        #expect(Inside.leaks(try await server.client.get("/healthz").text) == [])
        try await server.stop()
    }

    private func hold(
        _ fuzzer: APIFuzzer, _ server: ServerProcess, token: String, seed: UInt64, options: [String]
    ) async throws {
        let findings = try await fuzzer.findings(server, token: token, seed: seed, options: options)
        #expect(findings.isEmpty, "\(findings)")
    }

    /// It called every route, and was let in at most of those that one who is signed in may call.
    private func wasThorough(_ server: ServerProcess) async throws {
        let document = try await server.client.expect(200, .GET, "/openapi.json")
        let metrics = try await server.client.get("/metrics").text.split(separator: "\n")
        var called: Set<String> = [], served: Set<String> = []
        for line in metrics {
            guard
                let found = line.firstMatch(
                    of: #/^theatre_http_requests_total\{route="([^"]+)",status="(.)xx"\} [1-9]/#)
            else { continue }
            called.insert(String(found.1))
            if found.2 == "2" { served.insert(String(found.1)) }
        }
        let routes = (document["paths"]?.object ?? [:]).flatMap { path, methods in
            (methods.object ?? [:]).keys.map { "\($0.uppercased()) \(path)" }
        }
        #expect(Set(routes).subtracting(called) == [])
        #expect(served.count > routes.count / 3, "only \(served.sorted()) answered 2xx")
    }
}
