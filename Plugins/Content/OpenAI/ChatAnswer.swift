// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatreManifest

/// A `chat.completion`, or one `chat.completion.chunk` of a stream: both have the same bones.
struct ChatAnswer: Sendable {
    var text = ""
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
        finishReason = Self.reason(choice["finish_reason"]?.string)
        // A refusal stands in the place of an answer.
        if let words = said?["refusal"]?.string, !words.isEmpty {
            text += words
            if finishReason == .stop { finishReason = .filtered }
        }
    }

    private static func usage(_ value: JSONValue) -> ContentUsage? {
        guard let input = value["prompt_tokens"]?.integer else { return nil }
        var usage = ContentUsage()
        usage.inputTokens = input
        usage.outputTokens = value["completion_tokens"]?.integer ?? 0
        return usage
    }

    private static func reason(_ text: String?) -> ContentFinishReason {
        switch text {
        case nil: .unspecified
        case "length": .length
        case "content_filter": .filtered
        default: .stop
        }
    }
}
