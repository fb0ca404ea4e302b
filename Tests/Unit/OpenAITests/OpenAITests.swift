// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OpenAI

/// The plugin against the emulated server.
struct OpenAITests {
    @Test func answerComesWhole() async throws {
        let server = try await EmulatedServer()
        let response = try await server.chat().complete(asking("你好 world"))
        #expect(response.text == "You said: 你好 world" && response.finishReason == .stop)
        #expect(response.model == "gpt-4o-mini-2025" && !response.usage.estimated)
        #expect(response.usage.inputTokens > 0 && response.usage.outputTokens > 0)
        #expect(
            server.emulator.bodies == [#"{"messages":[{"content":"你好 world","role":"user"}],"model":"gpt-4o-mini"}"#])
        #expect(server.host.violations.isEmpty)
    }

    @Test func requestGoesBeforeProfileAndProfileBeforeConfiguration() async throws {
        let server = try await EmulatedServer(#"{"max_tokens_field": "max_tokens"}"#)
        let chat = server.chat(parameters: #"{"model": "big", "temperature": 0.5, "max_tokens": 3}"#)
        let response = try await chat.complete(asking("a b c d e f"))
        #expect(response.model == "big-2025" && response.finishReason == .length)
        #expect(server.emulator.bodies[0].contains(#""max_tokens":3"#))
        #expect(server.emulator.bodies[0].contains(#""temperature":0.5"#))
        let own = asking("a b") {
            $0.model = "gpt-4o-mini"
            $0.temperature = 0
            $0.maxTokens = 9
            $0.seed = 7
        }
        #expect(try await chat.complete(own).model == "gpt-4o-mini-2025")
        #expect(server.emulator.bodies[1].contains(#""max_tokens":9"#))
        #expect(server.emulator.bodies[1].contains(#""seed":7"#))
        let wrong = await #expect(throws: PluginError.self) {
            try await server.chat(parameters: #"{"model": 5}"#).complete(own)
        }
        #expect(wrong?.reason == "content.misconfigured")
    }

    static let chapter = "灯下无影\n三更将近，州桥夜市还没有要散的意思。\n柳青娘把筷子放下了。\n灯下没有影子。"

    @Test func outlineIsJSONOfTheContractWithPlacesInTheChapter() async throws {
        let server = try await EmulatedServer()
        let response = try await server.chat().complete(asking(Self.chapter) { $0.task = "outline" })
        let outline = try ContentOutline(jsonString: response.text)
        let scalars = Array(Self.chapter.unicodeScalars)
        #expect(outline.beats.count == 4 && outline.beats.map(\.number) == [1, 2, 3, 4])
        for beat in outline.beats {
            let quote = Array(beat.quote.unicodeScalars)
            #expect(Array(scalars[Int(beat.start)...].prefix(quote.count)) == quote)
        }
        #expect(outline.beats.last?.end == UInt32(scalars.count))
        #expect(outline.characters.first?.name == "灯下" && outline.characters.first?.count == 2)
        #expect(server.emulator.bodies[0].contains(#""type":"json_schema""#))
    }

    @Test func badJSONIsAskedForOnceMore() async throws {
        let server = try await EmulatedServer()
        let request = asking(Self.chapter) { $0.task = "outline" }
        server.emulator.script(.say("Here is the outline: {"))
        let response = try await server.chat().complete(request)
        #expect(try ContentOutline(jsonString: response.text).beats.count == 4)
        #expect(server.emulator.requests == 2)
        server.emulator.script(.say("no"), .say("[]"))
        let error = await server.failure(request)
        #expect(error?.reason == "content.bad_json" && error?.code == .dataLoss && server.emulator.requests == 4)
        server.emulator.script(.tooLong(#"{"title": "#))
        #expect(await server.failure(request)?.reason == "content.limit")
    }

    @Test func fencedJSONOfASchemaIsTaken() async throws {
        let server = try await EmulatedServer(#"{"response_format": "json_object"}"#)
        server.emulator.script(.say("```json\n{\"a\": [1, 2]}\n```\n"))
        let request = asking("list") { $0.responseSchema = #"{"type":"object"}"# }
        #expect(try await server.chat().complete(request).text == #"{"a":[1,2]}"#)
        #expect(server.emulator.bodies[0].contains(#""response_format":{"type":"json_object"}"#))
    }

    typealias Case = (OpenAIEmulator.Fault, PluginError.Code, String, PluginError.Retry)

    @Test(
        arguments: [
            (
                .refusal(429, type: "requests", code: "rate_limit_exceeded", headers: [("retry-after-ms", "1500")]),
                .resourceExhausted, "content.throttled", .after(milliseconds: 1500)
            ),
            (
                .refusal(429, type: "tokens", code: "rate_limit_exceeded", headers: [("retry-after", "7")]),
                .resourceExhausted, "content.throttled", .after(milliseconds: 7000)
            ),
            (
                .refusal(429, type: "insufficient_quota", code: "insufficient_quota", headers: [("retry-after", "7")]),
                .failedPrecondition, "content.quota", .never
            ),
            (
                .refusal(400, type: "invalid_request_error", code: "context_length_exceeded", headers: []),
                .invalidArgument, "content.too_long", .never
            ),
            (
                .refusal(400, type: "invalid_request_error", code: "content_policy_violation", headers: []),
                .invalidArgument, "content.refused", .never
            ),
            (
                .refusal(422, type: "invalid_request_error", code: nil, headers: []), .invalidArgument,
                "content.rejected",
                .never
            ),
            (.refusal(403, type: "x", code: nil, headers: []), .failedPrecondition, "content.misconfigured", .never),
            (.refusal(500, type: "server_error", code: nil, headers: []), .unavailable, "content.unavailable", .safe),
            (
                .refusal(503, type: "server_error", code: nil, headers: [("x-should-retry", "false")]), .unavailable,
                "content.unavailable", .never
            ),
            (.brokenGateway(502), .unavailable, "content.unavailable", .safe),
            (.cut(after: 0), .unavailable, "content.unavailable", .safe),
            (.slow(milliseconds: 200_000), .deadlineExceeded, "content.timeout", .safe),
        ] as [Case])
    func refusalsAreMapped(
        _ fault: OpenAIEmulator.Fault, _ code: PluginError.Code, _ reason: String, _ retry: PluginError.Retry
    ) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(fault)
        let error = await server.failure(asking("x"))
        #expect(error?.code == code && error?.reason == reason && error?.retry == retry)
        #expect(error?.effect == PluginError.Effect.none && server.emulator.requests == 1)
    }

    @Test func keysAreLookedAtAndMayBeLeftOut() async throws {
        let wrong = try await EmulatedServer(given: "sk-other")
        let error = await wrong.failure(asking("x"))
        #expect(error?.reason == "content.misconfigured" && error?.message.contains("sk-other") == false)
        #expect(await (try EmulatedServer(given: nil)).failure(asking("x"))?.reason == "content.misconfigured")
        let open = try await EmulatedServer(#"{"authorization": "none"}"#, given: nil, asksForKey: false)
        #expect(try await open.chat().complete(asking("x")).text == "You said: x")
    }

    @Test func unknownModelIsAFaultOfTheConfiguration() async throws {
        let server = try await EmulatedServer(#"{"model": "gone"}"#)
        #expect(await server.failure(asking("x"))?.reason == "content.model_unknown")
    }

    @Test(arguments: [
        ("task", "content.task_unsupported"), ("empty", "content.no_message"), ("role", "content.no_message"),
        ("schema", "content.bad_schema"),
    ])
    func requestThatCannotBeServedIsRefused(_ what: String, _ reason: String) async throws {
        let server = try await EmulatedServer()
        let error = await server.failure(
            asking("x") {
                switch what {
                case "task": $0.task = "poem"
                case "empty": $0.messages = []
                case "role": $0.messages[0].role = .unspecified
                default: $0.responseSchema = "[]"
                }
            })
        #expect(error?.reason == reason && server.emulator.requests == 0)
    }

    @Test(arguments: ["base64", "float"])
    func vectorsComeInTheOrderOfTheTexts(format: String) async throws {
        let server = try await EmulatedServer(#"{"encoding_format": "\#(format)"}"#)
        let texts = ["灯", "影", "灯"]
        let response = try await server.embedding.embed(.with { $0.texts = texts })
        #expect(response.vectors.map(\.values.count) == [1536, 1536, 1536])
        #expect(response.vectors[0] == response.vectors[2] && response.vectors[0] != response.vectors[1])
        let single = try await server.embedding.embed(.with { $0.texts = ["影"] })
        #expect(response.vectors[1] == single.vectors[0])
        #expect(response.model == "text-embedding-3-small" && response.usage.inputTokens > 0)
        let length = response.vectors[0].values.reduce(0) { $0 + $1 * $1 }
        #expect(abs(length - 1) < 0.001)
    }

    @Test func embeddingBoundsAreChecked() async throws {
        let server = try await EmulatedServer()
        for (texts, reason) in [([], "content.count"), (["a", ""], "content.empty_text")] {
            let error = await #expect(throws: PluginError.self) {
                try await server.embedding.embed(.with { $0.texts = texts })
            }
            #expect(error?.reason == reason)
        }
        #expect(server.emulator.requests == 0)
    }
}
