// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One turn of a conversation that the server would take.
struct AnthropicTurn {
    var role: String
    var text = ""
    /// Media type and bytes.
    var images: [(String, Data)] = []
    /// What tools returned.
    var results: [String] = []
    /// Ids of calls in it.
    private var calls: [String] = []
    private var answered: [String] = []

    static func turns(_ value: Any?, tools: [String], thinks: Bool) throws -> [AnthropicTurn] {
        guard let messages = value as? [[String: Any]] else { throw AnthropicRefusal(400, "messages: Field required") }
        guard !messages.isEmpty else { throw AnthropicRefusal(400, "messages: at least one message is required") }
        let turns = try messages.enumerated().map { try AnthropicTurn($1, at: "messages.\($0)", thinks: thinks) }
        guard turns[0].role == "user" else {
            throw AnthropicRefusal(400, "messages: first message must use the \"user\" role")
        }
        var open: [String] = []
        for (index, turn) in turns.enumerated() {
            guard index == 0 || turn.role != turns[index - 1].role else {
                throw AnthropicRefusal(
                    400,
                    "messages: roles must alternate between \"user\" and \"assistant\", but found multiple in a row")
            }
            guard turn.answered.allSatisfy(open.contains) else {
                throw AnthropicRefusal(
                    400,
                    "messages.\(index): unexpected `tool_use_id` found in `tool_result` blocks. Each `tool_result` "
                        + "block must have a corresponding `tool_use` block in the previous message.")
            }
            guard Set(open).isSubset(of: turn.answered) else {
                throw AnthropicRefusal(
                    400,
                    "messages.\(index - 1): `tool_use` ids were found without `tool_result` blocks immediately after")
            }
            open = turn.calls
            guard open.isEmpty || !tools.isEmpty else {
                throw AnthropicRefusal(400, "Requests which include `tool_use` blocks must define tools")
            }
        }
        guard open.isEmpty else {
            throw AnthropicRefusal(400, "messages: `tool_use` ids were found without `tool_result` blocks")
        }
        guard !thinks || turns.last?.results.isEmpty == true || turns.count < 2 else {
            throw AnthropicRefusal(400, "Expected `thinking` or `redacted_thinking`, but found `tool_use`.")
        }
        return turns
    }

    private init(_ message: [String: Any], at place: String, thinks: Bool) throws {
        guard Set(message.keys) == ["role", "content"] else {
            throw AnthropicRefusal(400, "\(place): Extra inputs are not permitted")
        }
        guard let role = message["role"] as? String, ["user", "assistant"].contains(role) else {
            throw AnthropicRefusal(400, "\(place).role: Input should be 'user' or 'assistant'")
        }
        self.role = role
        if let text = message["content"] as? String {
            guard !text.isEmpty else {
                throw AnthropicRefusal(400, "\(place): all messages must have non-empty content")
            }
            self.text = text
            return
        }
        guard let blocks = message["content"] as? [[String: Any]], !blocks.isEmpty else {
            throw AnthropicRefusal(400, "\(place): all messages must have non-empty content")
        }
        for (index, block) in blocks.enumerated() { try add(block, "\(place).content.\(index)") }
    }

    private mutating func add(_ block: [String: Any], _ place: String) throws {
        switch block["type"] as? String {
        case "text":
            try Self.only(["type", "text", "cache_control"], block, place)
            guard let text = block["text"] as? String, !text.isEmpty else {
                throw AnthropicRefusal(400, "\(place): text content blocks must be non-empty")
            }
            self.text += text
        case "image" where role == "user": try addImage(block, place)
        case "tool_use" where role == "assistant":
            try Self.only(["type", "id", "name", "input"], block, place)
            guard let id = block["id"] as? String, id.wholeMatch(of: #/[a-zA-Z0-9_-]+/#) != nil, !calls.contains(id),
                block["name"] is String, block["input"] is [String: Any]
            else { throw AnthropicRefusal(400, "\(place).tool_use.input: Input should be a valid dictionary") }
            calls.append(id)
        case "tool_result" where role == "user":
            try Self.only(["type", "tool_use_id", "content", "is_error"], block, place)
            guard text.isEmpty, images.isEmpty else {
                throw AnthropicRefusal(400, "\(place): `tool_result` blocks must come first in the message")
            }
            guard let id = block["tool_use_id"] as? String else {
                throw AnthropicRefusal(400, "\(place).tool_use_id: Field required")
            }
            answered.append(id)
            results.append(block["content"] as? String ?? "")
        default: throw AnthropicRefusal(400, "\(place): Input tag does not match any of the expected tags")
        }
    }

    private mutating func addImage(_ block: [String: Any], _ place: String) throws {
        try Self.only(["type", "source", "cache_control"], block, place)
        guard let source = block["source"] as? [String: Any], source["type"] as? String == "base64",
            let type = source["media_type"] as? String,
            ["image/png", "image/jpeg", "image/webp", "image/gif"].contains(type), source.count == 3
        else { throw AnthropicRefusal(400, "\(place).image.source.base64.media_type: Input should be an image type") }
        guard let data = (source["data"] as? String).flatMap({ Data(base64Encoded: $0) }), !data.isEmpty else {
            throw AnthropicRefusal(400, "\(place).image.source.base64: invalid base64 data")
        }
        images.append((type, data))
    }

    private static func only(_ known: Set<String>, _ block: [String: Any], _ place: String) throws {
        guard Set(block.keys).isSubset(of: known) else {
            throw AnthropicRefusal(400, "\(place): Extra inputs are not permitted")
        }
    }
}
