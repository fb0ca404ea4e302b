// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import ModelServers
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OpenAI

/// Streams, through the plugin and the parser alone.
struct StreamTests {
    @Test(arguments: [[], [1], [7, 3, 50], [4096]])
    func aStreamIsTheWholeTextInParts(pieces: [Int]) async throws {
        var wire = OpenAIEmulator.Wire()
        wire.pieces = pieces
        wire.lineEnd = pieces.count == 1 ? "\r\n" : "\n"
        wire.hasComments = true
        let server = try await EmulatedServer(wire: wire)
        let (parts, error) = await server.stream(asking("你好 world 𠀀"))
        #expect(error == nil)
        #expect(parts.map(\.text).joined() == "You said: 你好 world 𠀀")
        #expect(parts.count > 3 && parts.first?.model == "gpt-4o-mini-2025")
        let last = try #require(parts.last)
        #expect(last.finishReason == .stop && last.hasUsage && !last.usage.estimated)
        #expect(server.host.violations.isEmpty)
    }

    @Test(arguments: [
        (OpenAIEmulator.Fault.cut(after: 3), "content.stream_broken"),
        (.endEarly(after: 3), "content.stream_broken"),
        (.malformed(after: 3), "content.bad_answer"),
        (.stall(after: 3), "content.timeout"),
        (.streamError(after: 3, code: "server_error"), "content.stream_broken"),
        (.streamError(after: 3, code: "rate_limit_exceeded"), "content.throttled"),
        (.streamError(after: 3, code: "insufficient_quota"), "content.quota"),
    ])
    func aBrokenStreamSaysWhatItTook(_ fault: OpenAIEmulator.Fault, _ reason: String) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(fault)
        let (parts, error) = await server.stream(asking("one two three"))
        #expect(error?.reason == reason)
        #expect(parts.dropLast().map(\.text).joined() == "You said: ")
        #expect(parts.last?.usage.estimated == true && parts.last?.finishReason == .unspecified)
    }

    @Test(arguments: [
        (OpenAIEmulator.Fault.streamError(after: 0, code: "server_error"), "content.stream_broken"),
        (.stall(after: 1), "content.timeout"), (.malformed(after: 0), "content.bad_answer"),
        (.endEarly(after: 1), "content.stream_broken"),
    ])
    func aStreamThatBreaksBeforeItsFirstWordSaysWhatWasRead(
        _ fault: OpenAIEmulator.Fault, _ reason: String
    ) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(fault)
        let (parts, error) = await server.stream(asking("x"))
        #expect(error?.reason == reason && parts.count == 1)
        let usage = try #require(parts.first).usage
        #expect(usage.estimated && usage.inputTokens > 0 && usage.outputTokens == 0)
    }

    @Test func givingUpClosesTheConnection() async throws {
        let server = try await EmulatedServer(waits: true)
        server.emulator.script(.stall(after: 3), .stall(after: 1))
        for try await part in try await server.chat().stream(asking("one two three")) where part.text == "said: " {
            break
        }
        let speech = try #require(server.subject.speech)
        for try await part in try await speech.speak(.with { $0.text = String(repeating: "lamp ", count: 20) }) {
            if case .data = part.part { break }
        }
        while server.closed.count < 2 || server.host.callsUnderWay > 0 { await Task.yield() }
        #expect(server.closed.count == 2 && server.host.violations.isEmpty)
    }

    @Test func aRefusedStreamHasNoParts() async throws {
        let server = try await EmulatedServer()
        server.emulator.script(
            .refusal(429, type: "requests", code: "rate_limit_exceeded", headers: [("retry-after", "2")]))
        let (parts, error) = await server.stream(asking("x"))
        #expect(parts.isEmpty && error?.retry == .after(milliseconds: 2000))
    }

    @Test func anEndWithoutDoneIsAnEndOnceThereIsAReason() async throws {
        let server = try await EmulatedServer()
        server.emulator.script(.endEarly(after: 5))
        let (parts, error) = await server.stream(asking("x"))
        #expect(error == nil && parts.last?.finishReason == .stop && parts.last?.usage.estimated == true)
    }

    @Test func anOutlineIsStreamedWhole() async throws {
        let server = try await EmulatedServer()
        let (parts, error) = await server.stream(asking(OpenAITests.chapter) { $0.task = "outline" })
        #expect(error == nil && parts.count == 1)
        #expect(try ContentOutline(jsonString: parts[0].text).beats.count == 4)
    }

    @Test func theVectorIsRead() {
        var reading = StreamReading(ChatStream())
        let texts = reading.push(Data(Self.vector.utf8)).map(\.text)
        #expect(texts.joined() == "你好 world" && reading.answer.finishReason == .stop && reading.answer.isDone)
        #expect(reading.answer.usage?.inputTokens == 9 && reading.answer.usage?.outputTokens == 3)
        #expect(reading.failure == nil)
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func splitsDoNotMatter(seed: UInt64) throws {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let pool = Array("data: :\r\n\n\revent: x\ndata:{}你𠀀\u{FEFF}id: 1\n\n".utf8)
        let bytes =
            seed % 2 == 0
            ? Array(Self.vector.replacing("\n", with: seed % 4 == 0 ? "\r\n" : "\r").utf8)
            : (0..<300).map { _ in random(20) == 0 ? UInt8(random(256)) : pool[random(pool.count)] }
        var whole = SSEParser()
        let expected = try whole.push(bytes)
        var parser = SSEParser()
        var events: [SSEParser.Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let size = 1 + random(9)
            events += try parser.push(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        #expect(events == expected)
        if seed % 2 == 0 { #expect(events.count == 6 && events.last?.data == "[DONE]") }
    }

    @Test func fieldsAreReadAsInTheStandard() throws {
        var parser = SSEParser()
        let text = "\u{FEFF}:comment\ndata: a\ndata:b\ndata\nevent: error\nretry: 5\n\n\n\ndata:  c\r\rdata: unfinished"
        #expect(
            try parser.push(Array(text.utf8)) == [
                SSEParser.Event(name: "error", data: "a\nb\n"), SSEParser.Event(name: "message", data: " c"),
            ])
    }

    @Test func endlessLinesAreRefused() {
        var parser = SSEParser()
        #expect(throws: SSEParser.TooLong.self) {
            for _ in 0..<20 { _ = try parser.push([UInt8](repeating: 0x61, count: 64 << 10)) }
        }
    }

    static let vector = [
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"#
            + #""delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"#
            + #""delta":{"content":"你好"},"finish_reason":null}],"usage":null}"#,
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"#
            + #""delta":{"content":" world"},"finish_reason":null}],"usage":null}"#,
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"#
            + #""delta":{},"finish_reason":"stop"}],"usage":null}"#,
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[],"usage":"#
            + #"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}"#,
        "[DONE]",
    ].map { "data: \($0)\n\n" }.joined().replacing(
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},",
        with:
            ": keep-alive\n\ndata: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},"
    )
}
