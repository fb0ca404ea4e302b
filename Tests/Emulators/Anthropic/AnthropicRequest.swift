// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A request of `messages` that the server would take.
struct AnthropicRequest {
    var model: String
    var maxTokens: Int
    var system: String
    var turns: [AnthropicTurn]
    var isStreamed: Bool
    var tools: [String]
    var toolChoice: String
    /// The tool that has to be called.
    var forced: String?
    var stop: [String]
    var budget: Int?

    private static let known: Set<String> = [
        "model", "max_tokens", "messages", "system", "temperature", "top_p", "top_k", "stop_sequences", "stream",
        "tools", "tool_choice", "thinking", "metadata", "service_tier",
    ]

    init(_ body: [UInt8], known models: AnthropicModels) throws {
        let object = try Self.object(body)
        for key in object.keys.sorted() where !Self.known.contains(key) {
            throw AnthropicRefusal(400, "\(key): Extra inputs are not permitted")
        }
        guard let model = object["model"] as? String else { throw AnthropicRefusal(400, "model: Field required") }
        guard let maxTokens = object["max_tokens"] as? Int else {
            throw AnthropicRefusal(400, "max_tokens: Field required")
        }
        guard maxTokens > 0 else { throw AnthropicRefusal(400, "max_tokens: must be at least 1") }
        guard let found = models.resolved(model) else {
            throw AnthropicRefusal(404, "model: \(model)", type: "not_found_error")
        }
        (self.model, self.maxTokens) = (found, maxTokens)
        system = try Self.text(object["system"], "system")
        isStreamed = object["stream"] as? Bool ?? false
        stop = try Self.stops(object["stop_sequences"])
        tools = try Self.tools(object["tools"])
        (toolChoice, forced) = try Self.choice(object["tool_choice"] as? [String: Any], tools)
        budget = try Self.budget(object["thinking"] as? [String: Any], maxTokens)
        guard budget == nil || object["temperature"] == nil || object["temperature"] as? Double == 1 else {
            throw AnthropicRefusal(400, "`temperature` may only be set to 1 when thinking is enabled.")
        }
        guard budget == nil || ["auto", "none"].contains(toolChoice) else {
            throw AnthropicRefusal(400, "Thinking may not be enabled when tool_choice forces tool use.")
        }
        for (name, most) in [("temperature", 1.0), ("top_p", 1.0)] {
            guard let value = object[name] else { continue }
            guard let number = value as? Double, (0...most).contains(number) else {
                throw AnthropicRefusal(400, "\(name): Input should be less than or equal to \(most)")
            }
        }
        turns = try AnthropicTurn.turns(object["messages"], tools: tools, thinks: budget != nil)
    }

    static func object(_ body: [UInt8]) throws -> [String: Any] {
        do {
            if let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] { return object }
        } catch { throw AnthropicRefusal(400, "The request body is not valid JSON") }
        throw AnthropicRefusal(400, "The request body is not valid JSON")
    }

    /// A text, or blocks of text.
    private static func text(_ value: Any?, _ name: String) throws -> String {
        if value == nil { return "" }
        if let text = value as? String { return text }
        guard let blocks = value as? [[String: Any]] else {
            throw AnthropicRefusal(400, "\(name): Input should be a text")
        }
        return try blocks.map { block in
            guard block["type"] as? String == "text", let text = block["text"] as? String, !text.isEmpty else {
                throw AnthropicRefusal(400, "\(name): text content blocks must be non-empty")
            }
            return text
        }.joined()
    }

    private static func stops(_ value: Any?) throws -> [String] {
        guard let value else { return [] }
        guard let texts = value as? [String], texts.allSatisfy({ $0.contains { !$0.isWhitespace } }) else {
            throw AnthropicRefusal(400, "stop_sequences: each stop sequence must contain non-whitespace")
        }
        return texts
    }

    private static func tools(_ value: Any?) throws -> [String] {
        guard let value else { return [] }
        guard let tools = value as? [[String: Any]], !tools.isEmpty else {
            throw AnthropicRefusal(400, "tools: Input should be a valid list")
        }
        let names = try tools.enumerated().map { index, tool in
            let extra = Set(tool.keys).subtracting(["name", "description", "input_schema", "cache_control", "type"])
            guard extra.isEmpty else { throw AnthropicRefusal(400, "tools.\(index): Extra inputs are not permitted") }
            guard let name = tool["name"] as? String, name.wholeMatch(of: #/[a-zA-Z0-9_-]{1,64}/#) != nil else {
                throw AnthropicRefusal(400, "tools.\(index).name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'")
            }
            guard let schema = tool["input_schema"] as? [String: Any], schema["type"] as? String == "object" else {
                throw AnthropicRefusal(400, "tools.\(index).input_schema.type: Field required")
            }
            return name
        }
        guard Set(names).count == names.count else { throw AnthropicRefusal(400, "tools: Tool names must be unique.") }
        return names
    }

    private static func choice(_ value: [String: Any]?, _ tools: [String]) throws -> (String, String?) {
        guard let value else { return ("auto", nil) }
        guard !tools.isEmpty else { throw AnthropicRefusal(400, "tool_choice: may only be specified with tools") }
        switch value["type"] as? String {
        case "auto": return ("auto", nil)
        case "none": return ("none", nil)
        case "any": return ("any", tools[0])
        case "tool":
            guard let name = value["name"] as? String, tools.contains(name) else {
                throw AnthropicRefusal(400, "tool_choice.name: Tool not found in provided tools")
            }
            return ("tool", name)
        default: throw AnthropicRefusal(400, "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
        }
    }

    private static func budget(_ value: [String: Any]?, _ maxTokens: Int) throws -> Int? {
        guard let value, value["type"] as? String != "disabled" else { return nil }
        guard value["type"] as? String == "enabled", let budget = value["budget_tokens"] as? Int, budget >= 1024 else {
            throw AnthropicRefusal(400, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        }
        guard budget < maxTokens else {
            throw AnthropicRefusal(400, "`max_tokens` must be greater than `thinking.budget_tokens`.")
        }
        return budget
    }
}
