// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OpenAI

/// Probes in three tiers, and the list of models.
struct ProbeTests {
    @Test func aConfigurationIsTriedWithoutARequest() async throws {
        let server = try await EmulatedServer()
        let found = try await server.provider.probe(.with { $0.tier = .configuration })
        #expect(found.ok && found.latencyMs == 0 && found.balance.state == .unspecified)
        #expect(server.emulator.requests == 0)
    }

    @Test func aFreeProbeProvesKeyAndModel() async throws {
        let server = try await EmulatedServer()
        let found = try await server.provider.probe(.with { $0.tier = .free })
        #expect(found.ok && found.evidence.contains("the model gpt-4o-mini is listed"))
        #expect(
            found.balance.state == .unsupported && found.rateLeft.requests == 59 && found.rateLeft.tokens == 149_984)
        #expect(found.rateLeft.resetsAt == server.host.now + 360_000)
        let gone = try await server.provider.probe(
            .with {
                $0.tier = .free
                $0.model = "gone"
            })
        #expect(!gone.ok && gone.reason == "content.model_unknown" && gone.errorClass == .client)
        let locked = try await EmulatedServer(given: "sk-other").provider.probe(.with { $0.tier = .free })
        #expect(!locked.ok && locked.errorClass == .auth && !locked.message.contains("sk-other"))
    }

    @Test func aCanaryIsARealCall() async throws {
        let server = try await EmulatedServer()
        let chat = try await server.provider.probe(
            .with {
                $0.tier = .canary
                $0.capability = "theatre.content.v1.Chat"
            })
        #expect(chat.ok && chat.usage.outputTokens > 0 && chat.evidence.count == 1)
        let embedding = try await server.provider.probe(
            .with {
                $0.tier = .canary
                $0.capability = "theatre.content.v1.Embedding"
            })
        #expect(embedding.ok && embedding.attributes == #"{"dimensions":1536}"#)
    }

    @Test(arguments: [
        (
            OpenAIEmulator.Fault.refusal(429, type: "x", code: "insufficient_quota", headers: []),
            ContentErrorClass.quota
        ),
        (.refusal(429, type: "x", code: "rate_limit_exceeded", headers: []), .rate),
        (.refusal(500, type: "x", code: nil, headers: []), .server), (.cut(after: 0), .server),
        (.refusal(400, type: "x", code: nil, headers: []), .client), (.slow(milliseconds: 200_000), .timeout),
    ])
    func whoIsToBlameIsSaid(_ fault: OpenAIEmulator.Fault, _ blame: ContentErrorClass) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(fault)
        let found = try await server.provider.probe(
            .with {
                $0.tier = .canary
                $0.capability = "theatre.content.v1.Chat"
            })
        #expect(!found.ok && found.errorClass == blame && found.reason.hasPrefix("content."))
    }

    @Test func whatIsNoProbeIsRefused() async throws {
        let server = try await EmulatedServer()
        for tier in [ContentProbeTier.unspecified, .canary] {
            let error = await #expect(throws: PluginError.self) {
                try await server.provider.probe(
                    .with {
                        $0.tier = tier
                        $0.capability = "theatre.sql.v1.Database"
                    })
            }
            #expect(error?.reason == "content.bad_probe")
        }
    }

    @Test func modelsAreListedByName() async throws {
        let server = try await EmulatedServer()
        let list = try await server.provider.listModels(ContentListModelsRequest())
        let names = list.items.map(\.name)
        #expect(names == names.sorted() && Set(names).isSuperset(of: ["big", "gpt-4o-mini", "whisper-1"]))
        server.emulator.script(.refusal(404, type: "x", code: nil, headers: []))
        let error = await #expect(throws: PluginError.self) {
            try await server.provider.listModels(ContentListModelsRequest())
        }
        #expect(error?.reason == "content.no_list" && error?.code == .unimplemented)
    }
}
