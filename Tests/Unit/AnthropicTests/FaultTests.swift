// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Anthropic

/// What each fault of the server is to the caller.
struct FaultTests {
    typealias Case = (AnthropicEmulator.Fault, PluginError.Code, String, PluginError.Retry)

    @Test(
        arguments: [
            (.refusal(400, type: "invalid_request_error"), .invalidArgument, "content.rejected", .never),
            (
                .refusal(
                    400, type: "invalid_request_error", message: "prompt is too long: 210000 tokens > 200000 maximum"),
                .invalidArgument, "content.too_long", .never
            ),
            (
                .refusal(
                    400, type: "invalid_request_error",
                    message: "Your credit balance is too low to access the Anthropic API."),
                .failedPrecondition, "content.quota", .never
            ),
            (.refusal(401, type: "authentication_error"), .failedPrecondition, "content.misconfigured", .never),
            (.refusal(402, type: "billing_error"), .failedPrecondition, "content.quota", .never),
            (.refusal(403, type: "permission_error"), .failedPrecondition, "content.misconfigured", .never),
            (.refusal(404, type: "not_found_error"), .failedPrecondition, "content.misconfigured", .never),
            (.refusal(413, type: "request_too_large"), .invalidArgument, "content.too_long", .never),
            (
                .refusal(429, type: "rate_limit_error", headers: [("retry-after", "7")]), .resourceExhausted,
                "content.throttled", .after(milliseconds: 7000)
            ),
            (
                .refusal(429, type: "rate_limit_error"), .resourceExhausted, "content.throttled",
                .after(milliseconds: 1000)
            ),
            (.refusal(500, type: "api_error"), .unavailable, "content.unavailable", .safe),
            (.refusal(504, type: "timeout_error"), .deadlineExceeded, "content.timeout", .safe),
            (
                .refusal(529, type: "overloaded_error", headers: [("x-should-retry", "false")]), .unavailable,
                "content.unavailable", .never
            ),
            (.refusal(529, type: "overloaded_error"), .unavailable, "content.unavailable", .safe),
            (.brokenGateway(502), .unavailable, "content.unavailable", .safe),
            (.malformed(after: 0), .dataLoss, "content.bad_answer", .safe),
            (.cut(after: 0), .unavailable, "content.unavailable", .safe),
            (.slow(milliseconds: 200_000), .deadlineExceeded, "content.timeout", .safe),
        ] as [Case])
    func refusalsAreMapped(
        _ fault: AnthropicEmulator.Fault, _ code: PluginError.Code, _ reason: String, _ retry: PluginError.Retry
    ) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(fault)
        let error = await server.failure(asking("x"))
        #expect(error?.code == code && error?.reason == reason && error?.retry == retry)
        #expect(error?.effect == PluginError.Effect.none && server.emulator.requests.count == 1)
    }

    /// Events of an answer: begin, block, ping, then a word each.
    @Test(arguments: [
        (AnthropicEmulator.Fault.cut(after: 5), "content.stream_broken"),
        (.endEarly(after: 5), "content.stream_broken"),
        (.malformed(after: 5), "content.bad_answer"),
        (.stall(after: 5), "content.timeout"),
        (.streamError(after: 5, type: "overloaded_error"), "content.stream_broken"),
        (.streamError(after: 5, type: "api_error"), "content.stream_broken"),
        (.streamError(after: 5, type: "rate_limit_error"), "content.throttled"),
        (.streamError(after: 5, type: "timeout_error"), "content.timeout"),
        (.streamError(after: 5, type: "billing_error"), "content.quota"),
    ])
    func aBrokenStreamSaysWhatItTook(_ fault: AnthropicEmulator.Fault, _ reason: String) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(fault)
        let (parts, error) = await server.stream(asking("one two three"))
        #expect(error?.reason == reason && error?.effect == PluginError.Effect.none)
        #expect(parts.dropLast().map(\.text).joined() == "You said: ")
        let usage = try #require(parts.last).usage
        // What was read the server had said; what was written is counted.
        #expect(usage.estimated && usage.inputTokens == 15 && usage.outputTokens == 3)
        #expect(parts.last?.finishReason == .unspecified)
    }

    @Test func aStreamThatIsRefusedHasNoParts() async throws {
        let server = try await EmulatedServer()
        server.emulator.script(
            .refusal(429, type: "rate_limit_error", headers: [("retry-after", "2")]), .slow(milliseconds: 200_000))
        #expect(await server.stream(asking("x")).error?.retry == .after(milliseconds: 2000))
        let (parts, error) = await server.stream(asking("x"))
        #expect(parts.isEmpty && error?.reason == "content.timeout")
    }

    @Test(arguments: [
        (AnthropicEmulator.Fault.streamError(after: 0, type: "overloaded_error"), "content.stream_broken"),
        (.stall(after: 3), "content.timeout"), (.malformed(after: 0), "content.bad_answer"),
    ])
    func aStreamThatBreaksBeforeItsFirstWordSaysWhatWasRead(
        _ fault: AnthropicEmulator.Fault, _ reason: String
    ) async throws {
        let server = try await EmulatedServer()
        server.emulator.script(fault)
        let (parts, error) = await server.stream(asking("x"))
        #expect(error?.reason == reason && parts.count == 1)
        let usage = try #require(parts.first).usage
        #expect(usage.estimated && usage.inputTokens > 0 && usage.outputTokens == 0)
    }

    @Test func unknownModelIsAFaultOfTheConfiguration() async throws {
        let server = try await EmulatedServer(#"{"model": "gone"}"#)
        #expect(await server.failure(asking("x"))?.reason == "content.model_unknown")
    }

    @Test(arguments: [
        ("task", "content.task_unsupported"), ("empty", "content.no_message"), ("role", "content.no_message"),
        ("schema", "content.bad_schema"), ("stop", "content.bad_stop"), ("image", "content.bad_image"),
        ("tool", "content.bad_tool"), ("parameters", "content.bad_tool"), ("choice", "content.bad_tool"),
        ("result", "content.bad_turn"), ("unanswered", "content.bad_turn"), ("first", "content.bad_turn"),
        ("arguments", "content.bad_tool"),
    ])
    func requestThatCannotBeServedIsRefused(_ what: String, _ reason: String) async throws {
        let server = try await EmulatedServer()
        let request = asking("x") { Self.spoil(&$0, what) }
        let error = await server.failure(request)
        #expect(error?.reason == reason && error?.code == .invalidArgument && server.emulator.requests.isEmpty)
        #expect(await server.stream(request).error?.reason == reason)
    }

    private static func spoil(_ request: inout ContentChatRequest, _ what: String) {
        switch what {
        case "task": request.task = "poem"
        case "empty": request.messages = []
        case "role": request.messages[0].role = .unspecified
        case "schema": request.responseSchema = "[]"
        case "stop": request.stop = ["a", " "]
        case "image": request.messages[0].images = [.with { $0.contentType = "image/tiff" }]
        case "tool": request.tools = [.with { $0.name = "a b" }]
        case "parameters": request.tools = [.with { ($0.name, $0.parameters) = ("a", #"{"type":"array"}"#) }]
        case "choice": request.toolChoice = .required
        case "result": request.messages.append(turn(.tool, "rain") { $0.toolCallID = "x" })
        case "unanswered", "arguments":
            request.messages.append(
                turn(.assistant, "") {
                    $0.toolCalls = [
                        .with { ($0.id, $0.name, $0.arguments) = ("x", "y", what == "arguments" ? "[" : "") }
                    ]
                })
        default: request.messages.insert(turn(.assistant, "hello"), at: 0)
        }
    }
}
