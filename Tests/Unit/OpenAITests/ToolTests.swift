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

/// Tools, images and what else a request may say.
struct ToolTests {
    static let weather = ContentTool.with {
        $0.name = "weather"
        $0.description_p = "Says the weather of a place."
        $0.parameters = #"{"type":"object","properties":{"text":{"type":"string"}}}"#
    }

    @Test func aToolIsAskedForAndItsResultReturned() async throws {
        let server = try await EmulatedServer()
        var request = asking("weather in Bianjing") { $0.tools = [Self.weather] }
        let response = try await server.chat().complete(request)
        let call = try #require(response.toolCalls.first)
        #expect(response.finishReason == .toolCalls && response.text.isEmpty && response.toolCalls.count == 1)
        #expect(call.name == "weather" && call.arguments == #"{"text":"weather in Bianjing"}"#)
        request.messages += [
            .with {
                $0.role = .assistant
                $0.toolCalls = response.toolCalls
            },
            .with {
                $0.role = .tool
                $0.toolCallID = call.id
                $0.text = "rain"
            },
        ]
        #expect(try await server.chat().complete(request).text == "You said: rain")
        #expect(server.host.violations.isEmpty)
    }

    @Test func aCallIsStreamedInParts() async throws {
        let server = try await EmulatedServer()
        let (parts, error) = await server.stream(asking("weather in Bianjing") { $0.tools = [Self.weather] })
        let calls = parts.flatMap(\.toolCalls)
        #expect(error == nil && calls.first?.id == "call_0" && calls.first?.name == "weather")
        #expect(calls.map(\.arguments).joined() == #"{"text":"weather in Bianjing"}"# && calls.count > 2)
        #expect(parts.last?.finishReason == .toolCalls && parts.first?.model == "gpt-4o-mini-2025")
    }

    @Test func imagesAreShown() async throws {
        let server = try await EmulatedServer()
        let request = asking("what is it?") {
            $0.messages[0].images = [
                .with {
                    $0.contentType = "image/png"
                    $0.data = Data([1, 2, 3])
                }
            ]
        }
        #expect(try await server.chat().complete(request).text == "You showed: image/png of 3 bytes")
    }

    @Test func choiceStopsAndReasoningAreSaid() async throws {
        let server = try await EmulatedServer(#"{"reasoning": "reasoning_effort"}"#)
        let request = asking("anything") {
            $0.tools = [Self.weather]
            $0.toolChoice = .required
            $0.stop = ["END"]
            $0.topP = 0.5
            $0.reasoning = .high
        }
        #expect(try await server.chat().complete(request).toolCalls.count == 1)
        let body = server.emulator.bodies[0]
        #expect(body.contains(#""tool_choice":"required""#) && body.contains(#""stop":["END"]"#))
        #expect(body.contains(#""top_p":0.5"#) && body.contains(#""reasoning_effort":"high""#))
        let silent = try await EmulatedServer()
        _ = try await silent.chat(parameters: #"{"reasoning": "low"}"#).complete(asking("x"))
        #expect(!silent.emulator.bodies[0].contains("reasoning"))
    }

    @Test func dimensionsArePassedOn() async throws {
        let server = try await EmulatedServer()
        let response = try await server.embedding.embed(
            .with {
                $0.texts = ["灯"]
                $0.dimensions = 64
            })
        #expect(response.vectors[0].values.count == 64)
    }
}
