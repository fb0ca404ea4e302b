// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Emulators
import NIOHTTP1
import Testing
import TheatreManifest

/// What model calls used and cost, against what the server was asked.
@Suite(.serialized) struct CostTests {
    @Test(arguments: StorageEngine.allCases)
    func costsReconcileToTheCallsToTheLastUnit(_ engine: StorageEngine) async throws {
        let signing = P256.Signing.PrivateKey()
        let folder = try TemporaryFolder()
        try folder.writeKey("session/0001.jwk", SigningKey.jwk(signing))
        let price = "{currency: USD, each: {input_tokens: 0.000003}, per_million: {output_tokens: 15}}"
        let model = try await LanguageModel.start(on: engine, fallbacks: "offline", price: price, folder: folder)
        let person = try await model.person(), admin = try person.admin(by: signing)
        let first = try await person.outcome(), second = try await person.outcome()
        model.emulator.script(.brokenGateway(503))
        let third = try await person.outcome()

        let providers = try await eventually("all calls are stored") {
            let groups = try await Self.costs(admin, "provider")
            return groups.reduce(0) { $0 + $1.calls } == 7 ? groups : nil
        }
        let paid = try #require(providers.first { $0.group == "openai" })
        #expect(
            paid.calls == model.emulator.requests && paid.calls == 6 && paid.failed == 1 && paid.unpriced == 0,
            "\(providers)")
        let tokens = (paid.units["input_tokens"] ?? 0, paid.units["output_tokens"] ?? 0)
        #expect(tokens.0 > 100 && tokens.1 > 100)
        #expect(paid.micros == 3 * tokens.0 + 15 * tokens.1 && paid.currency == "USD")
        // Nobody said what the one that needs nothing costs, so nobody claims that it is free.
        let offline = try #require(providers.first { $0.group == "offline" })
        #expect(offline.calls == 1 && offline.unpriced == 1 && offline.micros == 0, "\(providers)")

        for group in ["profile", "model", "feature", "operation", "project", "run", "stage", "day"] {
            let groups = try await Self.costs(admin, group)
            #expect(groups.reduce(0) { $0 + $1.micros } == paid.micros, "\(group): \(groups)")
            #expect(groups.reduce(0) { $0 + $1.calls } == 7, "\(group)")
            #expect(groups.reduce(0) { $0 + ($1.units["input_tokens"] ?? 0) } >= tokens.0, "\(group)")
        }
        let runs = try [first, second, third].map { try $0.text("/id") }
        #expect(Set(try await Self.costs(admin, "run").map(\.group)) == Set(runs))
        #expect(Set(try await Self.costs(admin, "stage").map(\.group)) == ["outline", "embed"])

        for (query, status) in [
            ("group_by=colour", 400), ("group_by=day&from=2026-01-02&to=2026-01-01", 400), ("", 400),
        ] {
            _ = try await admin.expect(status, .GET, "/api/v1/costs?\(query)")
        }
        _ = try await admin.expect(
            400, .GET, "/api/v1/costs?group_by=day&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z")
        _ = try await person.client.expect(403, .GET, "/api/v1/costs?group_by=day")
        #expect(try await Self.costs(try person.admin(by: signing, tenant: "elsewhere"), "day").isEmpty)
        try await model.stop()
    }

    private struct Group: Sendable {
        var group: String
        var currency: String
        var calls: Int
        var failed: Int64
        var micros: Int64
        var unpriced: Int64
        var units: [String: Int64]
    }

    private static func costs(_ admin: Client, _ group: String) async throws -> [Group] {
        let items = try await admin.expect(200, .GET, "/api/v1/costs?group_by=\(group)")["items"]?.array ?? []
        return items.map { item in
            let units = item["units"]?.array ?? []
            return Group(
                group: item["group"]?.string ?? "", currency: item["currency"]?.string ?? "",
                calls: Int(item["calls"]?.integer ?? 0), failed: item["failed"]?.integer ?? 0,
                micros: item["cost_micros"]?.integer ?? 0, unpriced: item["unpriced"]?.integer ?? 0,
                units: Dictionary(units.map { ($0["unit"]?.string ?? "", $0["amount"]?.integer ?? 0) }) { $0 + $1 })
        }
    }
}
