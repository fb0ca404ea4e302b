// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest
import TheatrePlugin
import TheatrePluginTesting

@testable import Anthropic

/// Probes in three tiers, and the list of models.
struct ProbeTests {
    private static let models: Set = ["claude-a-20250101", "claude-b-20250101", "claude-sonnet-4-5-20250929"]
    private static let canary = ContentProbeRequest.with {
        $0.tier = .canary
        $0.capability = "theatre.content.v1.Chat"
    }

    @Test func aConfigurationIsTriedWithoutARequest() async throws {
        let server = try await EmulatedServer()
        let found = try await server.provider.probe(.with { $0.tier = .configuration })
        #expect(found.ok && found.latencyMs == 0 && found.balance.state == .unspecified)
        #expect(server.emulator.requests.isEmpty)
    }

    @Test func aFreeProbeProvesKeyAndModel() async throws {
        let server = try await EmulatedServer()
        // A name that stands for the newest of its kind is in no list, and there all the same.
        let found = try await server.provider.probe(.with { $0.tier = .free })
        #expect(found.ok && found.evidence == ["1 models are listed", "the model claude-sonnet-4-5 is there"])
        #expect(server.emulator.requests.map(\.path) == ["/v1/models", "/v1/models/claude-sonnet-4-5"])
        #expect(found.balance.state == .unsupported && found.rateLeft.requests == 49 && found.rateLeft.tokens == 8000)
        #expect(found.rateLeft.resetsAt > server.host.now)
        let gone = try await server.provider.probe(
            .with {
                $0.tier = .free
                $0.model = "gone/x"
            })
        #expect(!gone.ok && gone.reason == "content.model_unknown" && gone.errorClass == .client)
        #expect(server.emulator.requests.last?.path == "/v1/models/gone%2Fx")
        let locked = try await EmulatedServer(given: "sk-other").provider.probe(.with { $0.tier = .free })
        #expect(!locked.ok && locked.errorClass == .auth && !locked.message.contains("sk-other"))
    }

    @Test func aCanaryIsARealCall() async throws {
        let server = try await EmulatedServer()
        let found = try await server.provider.probe(Self.canary)
        #expect(found.ok && found.usage.outputTokens > 0 && found.evidence.count == 1 && found.rateLeft.requests == 49)
        #expect(try server.body()["max_tokens"] == .integer(16))
    }

    @Test(arguments: [
        (AnthropicEmulator.Fault.refusal(402, type: "billing_error"), ContentErrorClass.quota, "content.quota"),
        (.refusal(403, type: "permission_error"), .auth, "content.misconfigured"),
        (.refusal(429, type: "rate_limit_error"), .rate, "content.throttled"),
        (.refusal(529, type: "overloaded_error"), .server, "content.unavailable"),
        (.cut(after: 0), .server, "content.unavailable"), (.malformed(after: 0), .server, "content.bad_answer"),
        (.refusal(400, type: "invalid_request_error"), .client, "content.rejected"),
        (.slow(milliseconds: 200_000), .timeout, "content.timeout"),
    ])
    func whoIsToBlameIsSaid(
        _ fault: AnthropicEmulator.Fault, _ blame: ContentErrorClass, _ reason: String
    ) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(fault)
        let found = try await server.provider.probe(Self.canary)
        #expect(!found.ok && found.errorClass == blame && found.reason == reason && !found.message.isEmpty)
    }

    @Test func whatIsNoProbeIsRefused() async throws {
        let server = try await EmulatedServer()
        for tier in [ContentProbeTier.unspecified, .canary] {
            let error = await #expect(throws: PluginError.self) {
                try await server.provider.probe(
                    .with {
                        $0.tier = tier
                        $0.capability = "theatre.content.v1.Embedding"
                    })
            }
            #expect(error?.reason == "content.bad_probe")
        }
        #expect(server.emulator.requests.isEmpty)
    }

    @Test(arguments: [1, 2, 1000]) func modelsAreListedOverAllPages(pageSize: Int) async throws {
        let server = try await EmulatedServer(models: Self.models, pageSize: pageSize)
        let list = try await server.provider.listModels(ContentListModelsRequest())
        #expect(list.items.map(\.name) == Self.models.sorted())
        #expect(server.emulator.requests.count == (pageSize == 1 ? 3 : pageSize == 2 ? 2 : 1))
        server.emulator.script(.refusal(401, type: "authentication_error"))
        let error = await #expect(throws: PluginError.self) {
            try await server.provider.listModels(ContentListModelsRequest())
        }
        #expect(error?.reason == "content.misconfigured")
    }
}
