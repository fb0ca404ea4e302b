// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// A message that the model wrote.
struct MessageAnswer: Sendable {
    private let value: JSONValue

    /// Reads a document; nil where it is no message.
    init?(_ json: Data) {
        do { value = try JSONValue(json: json) } catch { return nil }
        guard value["type"]?.string == "message", value["content"]?.array != nil else { return nil }
    }

    /// What it says.
    ///
    /// - Parameter usesTool: the text is what the tool `answer` was given.
    func response(_ request: ContentChatRequest, usesTool: Bool) throws -> ContentChatResponse {
        let blocks = value["content"]?.array ?? []
        var response = ContentChatResponse()
        response.text = blocks.filter { $0["type"]?.string == "text" }.compactMap { $0["text"]?.string }.joined()
        response.model = value["model"]?.string ?? ""
        response.finishReason = Self.reason(value["stop_reason"]?.string)
        for block in blocks where block["type"]?.string == "tool_use" {
            let input = String(decoding: try (block["input"] ?? .object([:])).json(), as: UTF8.self)
            guard !usesTool else {
                response.text = input
                // A document that was cut is none; what is left of it may look like one.
                if response.finishReason == .toolCalls { response.finishReason = .stop }
                continue
            }
            response.toolCalls.append(
                .with {
                    $0.id = block["id"]?.string ?? ""
                    $0.name = block["name"]?.string ?? ""
                    $0.arguments = input
                })
        }
        if usesTool, response.finishReason == .length { response.text = "" }
        let written = response.toolCalls.reduce(response.text) { $0 + $1.name + $1.arguments }
        response.usage = value["usage"].flatMap { MessageUsage($0).usage } ?? TokenEstimate.usage(request, written)
        return response
    }

    static func reason(_ text: String?) -> ContentFinishReason {
        switch text {
        case nil: .unspecified
        case "max_tokens", "model_context_window_exceeded": .length
        case "tool_use": .toolCalls
        case "refusal": .filtered
        default: .stop
        }
    }
}

/// The member `usage`, which a stream says twice: at its begin what was read, at its end what was written.
struct MessageUsage: Sendable {
    private var counts: [String: Int64] = [:]

    init(_ value: JSONValue) { merge(value) }

    /// Takes what is said later; counts are of the whole answer.
    mutating func merge(_ value: JSONValue) {
        for (name, count) in value.object ?? [:] {
            if let count = count.integer { counts[name] = count }
        }
    }

    /// All that was read, which the API says in three parts; nil where no count is said, or one that is none.
    var input: Int64? {
        let parts = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"].compactMap { counts[$0] }
        guard counts["input_tokens"] != nil, parts.allSatisfy({ (0..<1 << 40).contains($0) }) else { return nil }
        return parts.reduce(0, +)
    }

    /// Of them, those that were kept from earlier calls.
    var cached: Int64 { counts["cache_read_input_tokens"] ?? 0 }

    /// Whole; nil where a count is missing or none.
    var usage: ContentUsage? {
        guard let input, let output = counts["output_tokens"], (0..<1 << 40).contains(output) else { return nil }
        return .with {
            $0.inputTokens = input
            $0.outputTokens = output
            $0.cachedInputTokens = cached
        }
    }
}
