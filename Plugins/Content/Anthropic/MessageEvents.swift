// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// The events of a streamed message, as far as they came.
struct MessageEvents: StreamedAnswer {
    private(set) var model = ""
    private(set) var finishReason = ContentFinishReason.unspecified
    private(set) var isDone = false
    private var counts: MessageUsage?
    /// Whether the count of what was written is that of the whole answer.
    private var isCounted = false
    /// Tokens of thoughts, which are written and not shown.
    private var hidden: Int64 = 0
    /// Calls by the index of their block.
    private var calls: [Int64: Call] = [:]

    private struct Call: Sendable {
        var index: UInt32
        /// Given whole with its begin, where it is not written piece by piece.
        var input: String
        var hasArguments = false
    }

    var usage: ContentUsage? { isCounted ? counts?.usage : nil }

    func estimate(_ request: ContentChatRequest, _ written: String) -> ContentUsage {
        var usage = TokenEstimate.usage(request, written)
        usage.outputTokens += hidden
        if let input = counts?.input {
            usage.inputTokens = input
            usage.cachedInputTokens = counts?.cached ?? 0
        }
        return usage
    }

    mutating func take(_ event: SSEParser.Event) throws -> ContentChatPart? {
        // More events may come to be; those that are not known say nothing that is needed.
        guard Self.known.contains(event.name) else { return nil }
        let value: JSONValue
        do { value = try JSONValue(json: Data(event.data.utf8)) } catch {
            throw ContentError.badAnswer("an event is no JSON")
        }
        switch event.name {
        case "error": throw AnthropicError(event: value).error
        case "message_start":
            model = value["message"]?["model"]?.string ?? ""
            counts = value["message"]?["usage"].map(MessageUsage.init)
        case "content_block_start": return begin(value)
        case "content_block_delta": return delta(value)
        case "content_block_stop": return end(value)
        case "message_delta":
            finishReason = MessageAnswer.reason(value["delta"]?["stop_reason"]?.string)
            if let usage = value["usage"] {
                if counts == nil { counts = MessageUsage(usage) } else { counts?.merge(usage) }
                isCounted = true
            }
        default: isDone = true
        }
        return nil
    }

    private static let known: Set = [
        "error", "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
        "message_stop",
    ]

    private mutating func begin(_ value: JSONValue) -> ContentChatPart? {
        guard let block = value["content_block"], let index = value["index"]?.integer else { return nil }
        if let text = block["text"]?.string, !text.isEmpty { return .with { $0.text = text } }
        guard block["type"]?.string == "tool_use" else { return nil }
        var input = "{}"
        if let whole = block["input"], whole != .object([:]) {
            do { input = String(decoding: try whole.json(), as: UTF8.self) } catch { input = "{}" }
        }
        let call = Call(index: UInt32(calls.count), input: input)
        calls[index] = call
        return part(call) {
            $0.id = block["id"]?.string ?? ""
            $0.name = block["name"]?.string ?? ""
        }
    }

    private mutating func delta(_ value: JSONValue) -> ContentChatPart? {
        guard let delta = value["delta"], let index = value["index"]?.integer else { return nil }
        switch delta["type"]?.string {
        case "text_delta":
            guard let text = delta["text"]?.string, !text.isEmpty else { return nil }
            return .with { $0.text = text }
        case "input_json_delta":
            guard let json = delta["partial_json"]?.string, !json.isEmpty, let call = calls[index] else { return nil }
            calls[index]?.hasArguments = true
            return part(call) { $0.arguments = json }
        case "thinking_delta":
            hidden += TokenEstimate.tokens(delta["thinking"]?.string ?? "")
            return nil
        default: return nil
        }
    }

    private mutating func end(_ value: JSONValue) -> ContentChatPart? {
        guard let index = value["index"]?.integer, let call = calls[index], !call.hasArguments else { return nil }
        calls[index]?.hasArguments = true
        return part(call) { $0.arguments = call.input }
    }

    private func part(_ call: Call, _ fill: (inout ContentToolCallPart) -> Void) -> ContentChatPart {
        var part = ContentToolCallPart()
        part.index = call.index
        fill(&part)
        var whole = ContentChatPart()
        whole.toolCalls = [part]
        return whole
    }
}
