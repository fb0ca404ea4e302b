// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A request of chat/completions that the server would take.
struct OpenAIChatRequest {
    var model: String
    var texts: [String]
    var isStreamed: Bool
    var includesUsage: Bool
    var maxTokens: Int?
    var schemaName: String?
    /// Images of the last message, by media type.
    var images: [String] = []
    var tools: [String] = []
    var toolChoice = "auto"
    var effort: String?
    var stop: [String] = []

    private static let known: Set<String> = [
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "seed",
        "response_format", "n", "stop", "user", "tools", "tool_choice", "top_p", "reasoning_effort",
    ]

    init(_ body: [UInt8], models: Set<String>) throws(OpenAIRefusal) {
        let object = try OpenAIChatRequest.object(body)
        for key in object.keys.sorted() where !Self.known.contains(key) {
            throw OpenAIRefusal(400, "Unrecognized request argument supplied: \(key)")
        }
        guard let model = object["model"] as? String, !model.isEmpty else {
            throw OpenAIRefusal(400, "you must provide a model parameter")
        }
        guard models.contains(model) else {
            throw OpenAIRefusal(404, "The model `\(model)` does not exist.", code: "model_not_found")
        }
        self.model = model
        guard let messages = object["messages"] as? [[String: Any]] else {
            throw OpenAIRefusal(400, "Missing required parameter: 'messages'.", param: "messages")
        }
        guard !messages.isEmpty else {
            throw OpenAIRefusal(400, "Invalid 'messages': empty array.", param: "messages", code: "empty_array")
        }
        tools = try OpenAITools.names(object["tools"])
        toolChoice = try OpenAITools.choice(object["tool_choice"], tools)
        effort = object["reasoning_effort"] as? String
        guard ["minimal", "low", "medium", "high"].contains(effort ?? "low") else {
            throw OpenAIRefusal(400, "Invalid value: 'reasoning_effort'.", param: "reasoning_effort")
        }
        let stop = object["stop"] as? [String] ?? []
        guard stop.count <= 4 else { throw OpenAIRefusal(400, "Invalid 'stop': array too long.", param: "stop") }
        self.stop = stop
        let read = try OpenAIMessages(messages)
        (texts, images) = (read.texts, read.images)
        isStreamed = object["stream"] as? Bool ?? false
        let options = object["stream_options"] as? [String: Any]
        guard options == nil || isStreamed else {
            throw OpenAIRefusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
        }
        includesUsage = options?["include_usage"] as? Bool ?? false
        maxTokens = (object["max_completion_tokens"] ?? object["max_tokens"]) as? Int
        guard maxTokens ?? 1 > 0 else { throw OpenAIRefusal(400, "Invalid 'max_tokens': integer below minimum value.") }
        let temperature = object["temperature"] as? Double ?? 1
        guard (0...2).contains(temperature) else { throw OpenAIRefusal(400, "Invalid 'temperature'.") }
        schemaName = try Self.schema(object["response_format"] as? [String: Any])
    }

    private static func schema(_ format: [String: Any]?) throws(OpenAIRefusal) -> String? {
        switch format?["type"] as? String {
        case nil, "text", "json_object": return nil
        case "json_schema":
            guard let schema = format?["json_schema"] as? [String: Any], let name = schema["name"] as? String,
                schema["schema"] is [String: Any], name.wholeMatch(of: #/[a-zA-Z0-9_-]{1,64}/#) != nil
            else { throw OpenAIRefusal(400, "Missing required parameter: 'response_format.json_schema'.") }
            return name
        default: throw OpenAIRefusal(400, "Invalid value: 'response_format.type'.")
        }
    }

    static func object(_ body: [UInt8]) throws(OpenAIRefusal) -> [String: Any] {
        do {
            if let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] { return object }
        } catch { throw OpenAIRefusal(400, "We could not parse the JSON body of your request.") }
        throw OpenAIRefusal(400, "We could not parse the JSON body of your request.")
    }
}
