// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import NIOHTTP1
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest
import TheatrePlugin
import TheatrePluginTesting

@testable import Anthropic

/// The plugin against the emulated server.
struct AnthropicTests {
    @Test func answerComesWhole() async throws {
        let server = try await EmulatedServer()
        let response = try await server.chat().complete(asking("你好 world"))
        #expect(response.text == "You said: 你好 world" && response.finishReason == .stop)
        #expect(response.model == "claude-sonnet-4-5-20250929")
        // 4 words and 4 of the frame were read, 3 kept for later, 5 kept from before.
        #expect(response.usage.inputTokens == 16 && response.usage.cachedInputTokens == 5)
        #expect(response.usage.outputTokens == 6 && !response.usage.estimated)
        #expect(
            server.emulator.bodies == [
                #"{"max_tokens":4096,"messages":[{"content":[{"text":"你好 world","type":"text"}],"role":"user"}],"#
                    + #""model":"claude-sonnet-4-5"}"#
            ])
        #expect(server.host.violations.isEmpty)
    }

    @Test func requestGoesBeforeProfileAndProfileBeforeConfiguration() async throws {
        let server = try await EmulatedServer(models: ["claude-sonnet-4-5-20250929", "claude-x-20250101"])
        let chat = server.chat(
            parameters: #"{"model": "claude-x", "temperature": 0.5, "max_tokens": 3, "top_p": 0.25}"#)
        let response = try await chat.complete(asking("a b c d e f"))
        #expect(response.model == "claude-x-20250101" && response.finishReason == .length)
        var body = try server.body()
        #expect(body["max_tokens"] == .integer(3) && body["temperature"] == .number(0.5))
        #expect(body["top_p"] == .number(0.25))
        let own = asking("a b") {
            $0.model = "claude-sonnet-4-5"
            $0.temperature = 1
            $0.maxTokens = 9
            $0.stop = ["b"]
            $0.seed = 7
        }
        let stopped = try await chat.complete(own)
        #expect(stopped.text == "You said: a " && stopped.finishReason == .stop)
        body = try server.body()
        #expect(body["max_tokens"] == .integer(9) && body["stop_sequences"] == .array([.string("b")]))
        let wrong = await #expect(throws: PluginError.self) {
            try await server.chat(parameters: #"{"reasoning": "very"}"#).complete(own)
        }
        #expect(wrong?.reason == "content.misconfigured")
    }

    @Test func turnsAlternateAndRulesStandApart() async throws {
        let server = try await EmulatedServer()
        let request = ContentChatRequest.with {
            $0.messages = [
                turn(.system, "Be brief."), turn(.user, "one"), turn(.user, "two"), turn(.system, "Be kind."),
                turn(.assistant, "three"), turn(.assistant, "four"), turn(.user, "five"),
            ]
        }
        #expect(try await server.chat().complete(request).text == "You said: five")
        let body = try server.body()
        #expect(body["system"] == .string("Be brief.\n\nBe kind."))
        #expect(body["messages"]?.array?.map { $0["content"]?.array?.count } == [2, 2, 1])
    }

    @Test func theKeyGoesWhereTheConfigurationSays() async throws {
        let field = try await EmulatedServer()
        _ = try await field.chat().complete(asking("x"))
        #expect(field.emulator.requests[0].headers["x-api-key"] == [EmulatedServer.key])
        #expect(field.emulator.requests[0].headers["authorization"].isEmpty)
        let bearer = try await EmulatedServer(#"{"authorization": "bearer", "version": "2026-10-21"}"#)
        _ = try await bearer.chat().complete(asking("x"))
        #expect(bearer.emulator.requests[0].headers["authorization"] == ["Bearer \(EmulatedServer.key)"])
        #expect(bearer.emulator.requests[0].headers["anthropic-version"] == ["2026-10-21"])
        #expect(bearer.emulator.requests[0].headers["x-api-key"].isEmpty)
        let error = await (try EmulatedServer(given: "sk-other")).failure(asking("x"))
        #expect(error?.reason == "content.misconfigured" && error?.message.contains("sk-other") == false)
        let none = await (try EmulatedServer(#"{"authorization": "none"}"#)).failure(asking("x"))
        #expect(none?.reason == "content.misconfigured")
    }

    @Test func imagesAreShown() async throws {
        let server = try await EmulatedServer()
        let request = asking("what is it?") {
            $0.messages[0].images = [
                .with {
                    $0.contentType = "image/webp"
                    $0.data = Data([1, 2, 3, 4])
                }
            ]
        }
        #expect(try await server.chat().complete(request).text == "You showed: image/webp of 4 bytes")
    }

    static let chapter = "灯下无影\n三更将近，州桥夜市还没有要散的意思。\n柳青娘把筷子放下了。\n灯下没有影子。"

    @Test(arguments: ["tool", "instruction"]) func outlineIsJSONOfTheContract(documents: String) async throws {
        let server = try await EmulatedServer(#"{"documents": "\#(documents)"}"#)
        let response = try await server.chat().complete(asking(Self.chapter) { $0.task = "outline" })
        let outline = try ContentOutline(jsonString: response.text)
        #expect(outline.beats.map(\.number) == [1, 2, 3, 4] && response.finishReason == .stop)
        #expect(outline.beats.last?.end == UInt32(Self.chapter.unicodeScalars.count))
        #expect(response.toolCalls.isEmpty)
        let body = try server.body()
        #expect(body.value(at: "/tool_choice/name")?.string == (documents == "tool" ? "answer" : nil))
        #expect(body["system"]?.string?.contains("JSON Schema") == (documents == "instruction"))
        let (parts, error) = await server.stream(asking(Self.chapter) { $0.task = "outline" })
        #expect(error == nil && parts.count == 1 && parts[0].text == response.text)
    }

    @Test func badJSONIsAskedForOnceMore() async throws {
        let server = try await EmulatedServer(#"{"documents": "instruction"}"#)
        let request = asking("list") { $0.responseSchema = #"{"type":"object"}"# }
        server.emulator.script(.say("Here it is: {"), .say("```json\n{\"a\": [1]}\n```"))
        let response = try await server.chat().complete(request)
        #expect(response.text == #"{"a":[1]}"# && server.emulator.requests.count == 2)
        #expect(response.usage.inputTokens == 26)
        server.emulator.script(.say("no"), .say("{"))
        #expect(await server.failure(request)?.reason == "content.bad_json")
        server.emulator.script(.tooLong(#"{"title": "#))
        #expect(await server.failure(request)?.reason == "content.limit")
    }

    @Test func aDocumentThatWasCutIsNone() async throws {
        let server = try await EmulatedServer()
        let request = asking("list") { $0.responseSchema = #"{"type":"object"}"# }
        server.emulator.script(.tooLong(#"{"a": 1}"#))
        #expect(await server.failure(request)?.reason == "content.limit")
        let array = asking("list") { $0.responseSchema = #"{"type":"array"}"# }
        server.emulator.script(.say("[1, 2]"))
        #expect(try await server.chat().complete(array).text == "[1,2]")
    }

    @Test func aModelThinksByTheBudgetOfTheConfiguration() async throws {
        let server = try await EmulatedServer()
        let request = asking("why?") {
            $0.reasoning = .medium
            $0.maxTokens = 6000
            $0.temperature = 0.1
        }
        let response = try await server.chat().complete(request)
        #expect(response.text == "You said: why?")
        #expect(try server.body().value(at: "/thinking/budget_tokens") == .integer(3000))
        // Too little room, or nothing to think with.
        for (reasoning, most) in [(ContentReasoning.high, UInt32(2000)), (.low, 9000)] {
            _ = try await server.chat().complete(
                asking("why?") {
                    $0.reasoning = reasoning
                    $0.maxTokens = most
                })
            #expect(try server.body()["thinking"] == nil)
        }
        _ = try await server.chat(parameters: #"{"reasoning": "high", "max_tokens": 40000}"#).complete(asking("why?"))
        #expect(try server.body().value(at: "/thinking/budget_tokens") == .integer(16_384))
    }

    @Test func withheldAnswersAreFiltered() async throws {
        let server = try await EmulatedServer()
        server.emulator.script(.withhold)
        #expect(try await server.chat().complete(asking("x")).finishReason == .filtered)
    }

    @Test(arguments: [(nil, 5), (7, nil), (-1, 5), (7, -9)] as [(Int?, Int?)])
    func whatIsNoCountIsEstimated(_ input: Int?, _ output: Int?) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(.count(input: input, output: output), .count(input: input, output: output))
        let whole = try await server.chat().complete(asking("你好 world")).usage
        #expect(whole.estimated && whole.inputTokens > 0 && whole.outputTokens > 0)
        let streamed = try #require(await server.stream(asking("你好 world")).parts.last).usage
        #expect(streamed.estimated && streamed.inputTokens > 0 && streamed.outputTokens > 0)
    }
}
