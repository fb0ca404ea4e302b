// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The tools of a request that the server would take.
enum OpenAITools {
    static func names(_ value: Any?) throws(OpenAIRefusal) -> [String] {
        guard let value else { return [] }
        guard let tools = value as? [[String: Any]], !tools.isEmpty else {
            throw OpenAIRefusal(400, "Invalid 'tools': empty array.", param: "tools")
        }
        var names: [String] = []
        for (index, tool) in tools.enumerated() {
            guard tool["type"] as? String == "function", let function = tool["function"] as? [String: Any],
                let name = function["name"] as? String, name.wholeMatch(of: #/[a-zA-Z0-9_-]{1,64}/#) != nil,
                function["parameters"] == nil || function["parameters"] is [String: Any]
            else { throw OpenAIRefusal(400, "Invalid 'tools[\(index)].function'.", param: "tools[\(index)]") }
            names.append(name)
        }
        return names
    }

    static func choice(_ value: Any?, _ tools: [String]) throws(OpenAIRefusal) -> String {
        guard let value else { return "auto" }
        guard !tools.isEmpty else {
            throw OpenAIRefusal(400, "'tool_choice' is only allowed when 'tools' are specified.", param: "tool_choice")
        }
        guard let choice = value as? String, ["auto", "none", "required"].contains(choice) else {
            throw OpenAIRefusal(400, "Invalid value: 'tool_choice'.", param: "tool_choice")
        }
        return choice
    }
}

/// The messages of a request that the server would take.
struct OpenAIMessages {
    private(set) var texts: [String] = []
    /// Of the last message, media type and bytes.
    private(set) var images: [String] = []
    private var open: [String] = []

    init(_ messages: [[String: Any]]) throws(OpenAIRefusal) {
        for (index, message) in messages.enumerated() { try add(message, "messages[\(index)]") }
        guard open.isEmpty else { throw Self.unanswered }
    }

    private static var unanswered: OpenAIRefusal {
        OpenAIRefusal(
            400, "An assistant message with 'tool_calls' must be followed by tool messages responding to each.",
            param: "messages")
    }

    private mutating func add(_ message: [String: Any], _ place: String) throws(OpenAIRefusal) {
        guard let role = message["role"] as? String, ["system", "user", "assistant", "tool"].contains(role) else {
            throw OpenAIRefusal(400, "Invalid value for role.", param: "\(place).role")
        }
        images = []
        if role == "tool" {
            guard let id = message["tool_call_id"] as? String, let index = open.firstIndex(of: id) else {
                throw OpenAIRefusal(400, "messages with role 'tool' must be a response to a preceding message.")
            }
            open.remove(at: index)
        } else {
            guard open.isEmpty else { throw Self.unanswered }
        }
        let calls = message["tool_calls"] as? [[String: Any]] ?? []
        for call in calls {
            guard role == "assistant", let id = call["id"] as? String, call["type"] as? String == "function",
                let function = call["function"] as? [String: Any], function["name"] is String,
                function["arguments"] is String
            else { throw OpenAIRefusal(400, "Invalid 'tool_calls'.", param: "\(place).tool_calls") }
            open.append(id)
        }
        switch message["content"] {
        case let text as String: texts.append(text)
        case let parts as [[String: Any]] where role == "user": try add(parts, "\(place).content")
        case nil where !calls.isEmpty, is NSNull where !calls.isEmpty: texts.append("")
        default: throw OpenAIRefusal(400, "Invalid type for content.", param: "\(place).content")
        }
    }

    private mutating func add(_ parts: [[String: Any]], _ place: String) throws(OpenAIRefusal) {
        var text = ""
        for part in parts {
            if part["type"] as? String == "text", let words = part["text"] as? String {
                text += words
                continue
            }
            let url = (part["image_url"] as? [String: Any])?["url"] as? String ?? ""
            guard part["type"] as? String == "image_url",
                let match = url.wholeMatch(of: #/data:(image\/(?:png|jpeg|webp|gif));base64,(.+)/#),
                let data = Data(base64Encoded: String(match.2))
            else { throw OpenAIRefusal(400, "Invalid image.", param: place) }
            images.append("\(match.1) of \(data.count) bytes")
        }
        texts.append(text)
    }
}
