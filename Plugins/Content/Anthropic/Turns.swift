// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// A conversation as the API wants it: rules apart, then user and assistant by turns, the user first, and what a tool
/// returned at the beginning of the turn after its call.
struct Turns: Sendable {
    /// What the rules say, joined.
    private(set) var system: [String] = []
    private var turns: [(role: String, results: [JSONValue], blocks: [JSONValue])] = []
    /// Calls of the last assistant's turn that nothing answers yet.
    private var open: Set<String> = []

    init(_ messages: [ContentChatMessage]) throws {
        for (index, message) in messages.enumerated() {
            switch message.role {
            case .system: if !message.text.isEmpty { system.append(message.text) }
            case .assistant: try addAssistant(message, index)
            case .tool: try addResult(message, index)
            default: try addUser(message, index)
            }
        }
        guard open.isEmpty else { throw ContentError.badTurn(messages.count - 1, "calls before it have no result") }
    }

    /// Whether the model goes on after what tools returned.
    var endsWithResults: Bool { turns.last.map { $0.role == "user" && !$0.results.isEmpty } ?? false }

    /// The member `messages`.
    var json: JSONValue {
        .array(
            turns.map { turn in
                .object(["role": .string(turn.role), "content": .array(turn.results + turn.blocks)])
            })
    }

    /// A block of text.
    static func text(_ text: String) -> JSONValue {
        .object(["type": .string("text"), "text": .string(text)])
    }

    private mutating func add(_ role: String, results: [JSONValue] = [], blocks: [JSONValue] = []) {
        // The API refuses a turn of nothing.
        guard !results.isEmpty || !blocks.isEmpty else { return }
        if turns.last?.role != role { turns.append((role, [], [])) }
        turns[turns.count - 1].results += results
        turns[turns.count - 1].blocks += blocks
    }

    private mutating func addUser(_ message: ContentChatMessage, _ index: Int) throws {
        guard open.isEmpty else { throw ContentError.badTurn(index, "calls before it have no result") }
        let images = message.images.map { image in
            JSONValue.object([
                "type": .string("image"),
                "source": .object([
                    "type": .string("base64"), "media_type": .string(image.contentType),
                    "data": .string(image.data.base64EncodedString()),
                ]),
            ])
        }
        // Models see better what they are asked after.
        add("user", blocks: images + (message.text.isEmpty ? [] : [Self.text(message.text)]))
    }

    private mutating func addAssistant(_ message: ContentChatMessage, _ index: Int) throws {
        guard !turns.isEmpty else { throw ContentError.badTurn(index, "a conversation begins with a user") }
        guard open.isEmpty else { throw ContentError.badTurn(index, "calls before it have no result") }
        var blocks = message.text.isEmpty ? [] : [Self.text(message.text)]
        for (at, call) in message.toolCalls.enumerated() {
            let pointer = "/messages/\(index)/tool_calls/\(at)"
            guard open.insert(call.id).inserted else {
                throw ContentError.badTool("\(pointer)/id", "its id is another's")
            }
            blocks.append(
                .object([
                    "type": .string("tool_use"), "id": .string(call.id), "name": .string(call.name),
                    "input": try ChatRules.arguments(of: call, pointer),
                ]))
        }
        add("assistant", blocks: blocks)
    }

    private mutating func addResult(_ message: ContentChatMessage, _ index: Int) throws {
        guard open.remove(message.toolCallID) != nil else {
            throw ContentError.badTurn(index, "no call before it has this tool_call_id")
        }
        var result: [String: JSONValue] = [
            "type": .string("tool_result"), "tool_use_id": .string(message.toolCallID),
        ]
        if !message.text.isEmpty { result["content"] = .string(message.text) }
        add("user", results: [.object(result)])
    }
}
