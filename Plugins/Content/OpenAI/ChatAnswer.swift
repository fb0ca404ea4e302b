// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

/// A `chat.completion`, or one `chat.completion.chunk` of a stream: both have the same bones.
struct ChatAnswer: Sendable {
    var text = ""
    /// Of a stream, parts of calls.
    var calls: [ContentToolCallPart] = []
    var finishReason = ContentFinishReason.unspecified
    var usage: ContentUsage?
    var model = ""
    var refusal: ServerRefusal?
    var hasChoice = false

    /// Reads a document; nil where it is no JSON object.
    init?(_ json: Data) {
        let value: JSONValue
        do { value = try JSONValue(json: json) } catch { return nil }
        guard value.object != nil else { return nil }
        model = value["model"]?.string ?? ""
        if let error = value["error"], error != .null { refusal = ServerRefusal(status: 0, error) }
        usage = value["usage"].flatMap(Self.usage)
        guard let choice = value["choices"]?.array?.first(where: { ($0["index"]?.integer ?? 0) == 0 }) else { return }
        hasChoice = true
        let said = choice["message"] ?? choice["delta"]
        text = said?["content"]?.string ?? ""
        calls = (said?["tool_calls"]?.array ?? []).enumerated().map(Self.call)
        finishReason = Self.reason(choice["finish_reason"]?.string)
        // Some servers stop for calls as if they had been done.
        if choice["message"] != nil, !calls.isEmpty, finishReason == .stop { finishReason = .toolCalls }
        // A refusal stands in the place of an answer.
        if let words = said?["refusal"]?.string, !words.isEmpty {
            text += words
            if finishReason == .stop { finishReason = .filtered }
        }
    }

    private static func call(_ at: Int, _ value: JSONValue) -> ContentToolCallPart {
        .with {
            $0.index = UInt32(clamping: value["index"]?.integer ?? Int64(at))
            $0.id = value["id"]?.string ?? ""
            $0.name = value["function"]?["name"]?.string ?? ""
            $0.arguments = value["function"]?["arguments"]?.string ?? ""
        }
    }

    /// What cannot be a count counts as not said.
    private static func usage(_ value: JSONValue) -> ContentUsage? {
        guard let input = value["prompt_tokens"]?.integer, input >= 0 else { return nil }
        let output = value["completion_tokens"]?.integer ?? 0
        guard output >= 0 else { return nil }
        var usage = ContentUsage()
        usage.inputTokens = input
        usage.outputTokens = output
        let cached = value["prompt_tokens_details"]?["cached_tokens"]?.integer ?? 0
        usage.cachedInputTokens = min(max(cached, 0), input)
        let reasoning = value["completion_tokens_details"]?["reasoning_tokens"]?.integer ?? 0
        usage.reasoningTokens = min(max(reasoning, 0), output)
        return usage
    }

    private static func reason(_ text: String?) -> ContentFinishReason {
        switch text {
        case nil: .unspecified
        case "length": .length
        case "content_filter": .filtered
        case "tool_calls", "function_call": .toolCalls
        default: .stop
        }
    }
}

/// The chunks of a stream.
struct ChatStream: StreamedAnswer {
    private(set) var model = ""
    private(set) var finishReason = ContentFinishReason.unspecified
    private(set) var usage: ContentUsage?
    /// True after `[DONE]`.
    private(set) var isDone = false
    private var hasCalls = false

    mutating func take(_ event: SSEParser.Event) throws -> ContentChatPart? {
        guard event.data != "[DONE]" else {
            isDone = true
            return nil
        }
        guard let chunk = ChatAnswer(Data(event.data.utf8)) else {
            throw ContentError.badAnswer("an event is no JSON")
        }
        if let refusal = chunk.refusal { throw refusal.error }
        if model.isEmpty { model = chunk.model }
        if !chunk.calls.isEmpty { hasCalls = true }
        if chunk.finishReason != .unspecified {
            finishReason = chunk.finishReason == .stop && hasCalls ? .toolCalls : chunk.finishReason
        }
        if let usage = chunk.usage { self.usage = usage }
        guard !chunk.text.isEmpty || !chunk.calls.isEmpty else { return nil }
        return .with {
            $0.text = chunk.text
            $0.toolCalls = chunk.calls
        }
    }
}
