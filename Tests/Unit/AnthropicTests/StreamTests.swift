// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import ModelServers
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreManifest
import TheatrePlugin
import TheatrePluginTesting

@testable import Anthropic

/// Streams, and tools in both ways.
struct StreamTests {
    @Test(arguments: [[], [1], [7, 3, 50], [4096]])
    func aStreamIsTheWholeTextInParts(pieces: [Int]) async throws {
        var wire = OpenAIEmulator.Wire()
        wire.pieces = pieces
        wire.lineEnd = pieces.count == 1 ? "\r\n" : "\n"
        let server = try await EmulatedServer(wire: wire)
        let (parts, error) = await server.stream(
            asking("你好 world 𠀀") {
                $0.reasoning = .medium
                $0.maxTokens = 9000
            })
        #expect(error == nil && parts.map(\.text).joined() == "You said: 你好 world 𠀀")
        #expect(parts.count > 3 && parts.first?.model == "claude-sonnet-4-5-20250929")
        let last = try #require(parts.last)
        #expect(last.finishReason == .stop && last.hasUsage && !last.usage.estimated)
        // The begin says one token, the end all of them, thoughts included.
        #expect(last.usage.outputTokens > 10 && last.usage.cachedInputTokens == 5)
        #expect(server.host.violations.isEmpty)
    }

    @Test func theEventsOfTheReferenceAreRead() {
        var reading = StreamReading(MessageEvents())
        let parts = reading.push(Data(Self.reference.utf8))
        #expect(parts.map(\.text).joined() == "Okay, let's check." && reading.failure == nil)
        let calls = parts.flatMap(\.toolCalls)
        #expect(calls.map(\.id).joined() == "toolu_01" && calls.map(\.name).joined() == "get_weather")
        #expect(calls.map(\.arguments).joined() == #"{"location": "San Francisco"}"#)
        #expect(calls.allSatisfy { $0.index == 0 })
        #expect(reading.answer.finishReason == .toolCalls && reading.answer.isDone)
        #expect(reading.answer.usage?.inputTokens == 472 && reading.answer.usage?.outputTokens == 89)
    }

    @Test func anEndWithoutStopIsAnEndOnceThereIsAReason() async throws {
        let server = try await EmulatedServer()
        // Begin, block, ping, three words, end of the block, the reason.
        server.emulator.script(.endEarly(after: 8))
        let (parts, error) = await server.stream(asking("x"))
        #expect(error == nil && parts.last?.finishReason == .stop && parts.last?.usage.estimated == false)
    }

    @Test func givingUpClosesTheConnection() async throws {
        let server = try await EmulatedServer(waits: true)
        server.emulator.script(.stall(after: 5))
        var text = ""
        for try await part in try await server.chat().stream(asking("one two three")) {
            text += part.text
            if text == "You said: " { break }
        }
        #expect(text == "You said: ")
        while server.closed.count == 0 || server.host.callsUnderWay > 0 { await Task.yield() }
        #expect(server.closed.count == 1 && server.host.violations.isEmpty)
    }

    static let weather = ContentTool.with {
        $0.name = "weather"
        $0.description_p = "Says the weather of a place."
        $0.parameters = #"{"properties":{"text":{"type":"string"}}}"#
    }

    @Test func aToolIsAskedForAndItsResultReturned() async throws {
        let server = try await EmulatedServer()
        var request = asking("weather in Bianjing") {
            $0.tools = [Self.weather]
            $0.reasoning = .high
            $0.maxTokens = 40_000
        }
        let response = try await server.chat().complete(request)
        let call = try #require(response.toolCalls.first)
        #expect(response.finishReason == .toolCalls && response.text.isEmpty && response.toolCalls.count == 1)
        #expect(call.name == "weather" && call.arguments == #"{"text":"weather in Bianjing"}"#)
        request.messages += [
            turn(.assistant, "Let me look.") { $0.toolCalls = response.toolCalls },
            turn(.tool, "rain") { $0.toolCallID = call.id }, turn(.user, "And then?"),
        ]
        #expect(try await server.chat().complete(request).text == "The tool said: rain")
        let body = try server.body()
        #expect(body["thinking"] == nil && body.value(at: "/messages/2/content/0/type")?.string == "tool_result")
        #expect(server.host.violations.isEmpty)
    }

    @Test func aCallIsStreamedInParts() async throws {
        let server = try await EmulatedServer()
        let request = asking("weather in Bianjing") { $0.tools = [Self.weather] }
        let (parts, error) = await server.stream(request)
        let calls = parts.flatMap(\.toolCalls)
        #expect(error == nil && calls.first?.id == "toolu_0" && calls.first?.name == "weather" && calls.count > 2)
        #expect(calls.map(\.arguments).joined() == #"{"text":"weather in Bianjing"}"#)
        #expect(parts.last?.finishReason == .toolCalls && parts.first?.model == "claude-sonnet-4-5-20250929")
        server.emulator.script(.say("{}"))
        let empty = await server.stream(asking("weather") { $0.tools = [Self.weather] }).parts.flatMap(\.toolCalls)
        #expect(empty.map(\.arguments).joined() == "{}")
    }

    @Test func theChoiceOfToolsIsSaid() async throws {
        let server = try await EmulatedServer()
        for (choice, type) in [(ContentToolChoice.required, "any"), (.none, "none")] {
            let response = try await server.chat().complete(
                asking("weather") {
                    $0.tools = [Self.weather]
                    $0.toolChoice = choice
                    $0.reasoning = .high
                    $0.maxTokens = 40_000
                })
            #expect(response.toolCalls.isEmpty == (choice == .none))
            #expect(try server.body().value(at: "/tool_choice/type")?.string == type)
        }
    }

    static let reference = [
        (
            "message_start",
            #"{"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"m","#
                + #""stop_sequence":null,"usage":{"input_tokens":472,"output_tokens":2},"content":[],"stop_reason":null}}"#
        ),
        ("content_block_start", #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#),
        ("ping", #"{"type": "ping"}"#),
        (
            "content_block_delta",
            #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Okay"}}"#
        ),
        (
            "content_block_delta",
            #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":", let's check."}}"#
        ),
        ("content_block_stop", #"{"type":"content_block_stop","index":0}"#),
        ("something_new", "not JSON at all"),
        (
            "content_block_start",
            #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_01","#
                + #""name":"get_weather","input":{}}}"#
        ),
        (
            "content_block_delta",
            #"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}"#
        ),
        (
            "content_block_delta",
            #"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"location\":"}}"#
        ),
        (
            "content_block_delta",
            #"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","#
                + #""partial_json":" \"San Francisco\"}"}}"#
        ),
        ("content_block_stop", #"{"type":"content_block_stop","index":1}"#),
        (
            "message_delta",
            #"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"#
                + #""usage":{"output_tokens":89}}"#
        ),
        ("message_stop", #"{"type":"message_stop"}"#),
    ].map { "event: \($0.0)\ndata: \($0.1)\n\n" }.joined()
}
