// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Emulators
import NIOHTTP1
import Testing
import TheatreManifest

/// A model server that is down: who is asked instead, what admins see of it, and how it comes back.
@Suite(.serialized) struct ProviderHealthTests {
    private static let chat = "theatre.content.v1.Chat"

    @Test func aServerThatIsDownIsLeftAloneUntilItServesAgain() async throws {
        let signing = P256.Signing.PrivateKey()
        let folder = try TemporaryFolder()
        try folder.writeKey("session/0001.jwk", SigningKey.jwk(signing))
        let model = try await LanguageModel.start(fallbacks: "offline", folder: folder)
        let person = try await model.person(), admin = try person.admin(by: signing)

        #expect(try await Self.health(admin)["state"]?.string == "UNKNOWN")
        for _ in 0..<5 {
            model.emulator.script(.brokenGateway(503))
            #expect(try await person.outcome()["status"]?.string == "SUCCEEDED", "the fallback outlines it")
        }
        let down = try await Self.health(admin)
        #expect(down["state"]?.string == "DOWN" && down["failures"]?.integer == 5, "\(down)")
        #expect(down.value(at: "/last_failure/class")?.string == "SERVER", "\(down)")
        #expect(down.value(at: "/last_failure/reason")?.string == "content.unavailable")
        #expect(down["retry_at"]?.string != nil)
        let log = try await eventually("it is said once") {
            model.server.output.contains("a profile is down") ? model.server.output : nil
        }
        #expect(log.ranges(of: "a profile is down").count == 1)

        try await isExplained(admin, person)

        // Its time is over: one call tries it.
        try await eventually("it serves again") {
            _ = try await person.outcome()
            return try await Self.health(admin)["state"]?.string == "HEALTHY" ? true : nil
        }
        try await model.stop()
    }

    private func isExplained(_ admin: Client, _ person: Account) async throws {
        let explained = try await admin.expect(200, .GET, "/api/v1/routes/studio.outline/explain")
        #expect(explained["profile"]?.string == "openai", "\(explained)")
        #expect(explained["fallbacks"]?.array == [.string("offline")])
        let asked = explained["profiles"]?.array?.first { $0["profile"]?.string == "openai" }
        #expect(asked?["health"]?.string == "DOWN" && asked?["chosen"]?.bool == true)
        let matrix = try await admin.expect(
            200, .GET, "/api/v1/config/feature-matrix?capability=theatre.content.v1.Embedding")
        let cards = matrix["items"]?.array ?? []
        let card = try #require(cards.first { $0["feature"]?.string == "studio.retrieval.embed" }, "\(matrix)")
        #expect(card["profile"]?.string == "openai")
        let inbox = card["profiles"]?.array?.first { $0["profile"]?.string == "inbox" }
        #expect(inbox?["eligible"]?.bool == false)
        #expect(inbox?["reason"]?.string?.contains("does not provide") == true, "\(card)")
        let wrong = try await admin.expect(404, .GET, "/api/v1/routes/studio.outlines/explain")
        #expect(wrong["message"]?.string?.contains("did you mean studio.outline?") == true, "\(wrong)")
        for path in ["config/health", "config/feature-matrix", "routes/studio.outline/explain"] {
            _ = try await person.client.expect(403, .GET, "/api/v1/\(path)")
        }
    }

    /// The model's health at outlining.
    private static func health(_ admin: Client) async throws -> JSONValue {
        let items = try await admin.expect(200, .GET, "/api/v1/config/health")["items"]?.array ?? []
        return try #require(
            items.first { $0["profile"]?.string == "openai" && $0["capability"]?.string == chat }, "\(items)")
    }
}
