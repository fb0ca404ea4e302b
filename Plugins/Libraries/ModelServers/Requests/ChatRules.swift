// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import TheatreContracts
public import TheatreManifest
import TheatrePlugin

/// What every server would refuse of a conversation, said before it is sent, with the field at fault.
public enum ChatRules {
    /// Most bytes of all images of a conversation.
    public static let imageBytes = 512 << 10
    private static let imageTypes: Set = ["image/png", "image/jpeg", "image/webp", "image/gif"]

    /// Throws INVALID_ARGUMENT for what cannot be sent.
    public static func check(_ request: ContentChatRequest) throws {
        guard request.messages.contains(where: { $0.role == .user && (!$0.text.isEmpty || !$0.images.isEmpty) }) else {
            throw ContentError.noMessage
        }
        var bytes = 0
        for (index, message) in request.messages.enumerated() {
            try checkRole(message, index)
            for (at, image) in message.images.enumerated() {
                bytes += image.data.count
                try check(image, total: bytes, "/messages/\(index)/images/\(at)")
            }
        }
        guard request.stop.count <= 4, request.stop.allSatisfy({ !$0.allSatisfy(\.isWhitespace) }) else {
            throw ContentError.badStop
        }
        var names: Set<String> = []
        for (index, tool) in request.tools.enumerated() {
            guard tool.name.wholeMatch(of: #/[A-Za-z0-9_-]{1,64}/#) != nil, names.insert(tool.name).inserted else {
                throw ContentError.badTool(
                    "/tools/\(index)/name", "its name is no name, or another's: letters, digits, _ and -, at most 64")
            }
            _ = try parameters(of: tool, index)
        }
        guard request.toolChoice != .required || !request.tools.isEmpty else {
            throw ContentError.badTool("/tool_choice", "none is there to be called")
        }
    }

    /// The JSON Schema of a tool's arguments: of an object, also where nothing is said.
    public static func parameters(of tool: ContentTool, _ index: Int) throws -> JSONValue {
        guard !tool.parameters.isEmpty else { return .object(["type": .string("object"), "properties": .object([:])]) }
        guard var schema = JSONText.object(tool.parameters), (schema["type"] ?? .string("object")).string == "object"
        else {
            throw ContentError.badTool("/tools/\(index)/parameters", "its parameters are no JSON Schema of an object")
        }
        schema["type"] = .string("object")
        return .object(schema)
    }

    /// The arguments of a call that was asked for.
    public static func arguments(of call: ContentToolCall, _ pointer: String) throws -> JSONValue {
        guard !call.arguments.isEmpty else { return .object([:]) }
        guard let members = JSONText.object(call.arguments) else {
            throw ContentError.badTool("\(pointer)/arguments", "its arguments are no JSON object")
        }
        return .object(members)
    }

    private static func checkRole(_ message: ContentChatMessage, _ index: Int) throws {
        switch message.role {
        case .user: break
        case .system, .assistant, .tool:
            guard message.images.isEmpty else { throw ContentError.badTurn(index, "only a user shows images") }
        default: throw ContentError.noMessage
        }
        guard message.toolCalls.isEmpty || message.role == .assistant else {
            throw ContentError.badTurn(index, "only an assistant asks for tools")
        }
        for (at, call) in message.toolCalls.enumerated() {
            let pointer = "/messages/\(index)/tool_calls/\(at)"
            guard !call.id.isEmpty, !call.name.isEmpty else {
                throw ContentError.badTool(pointer, "its id or its name is missing")
            }
            _ = try arguments(of: call, pointer)
        }
        guard (message.role == .tool) == !message.toolCallID.isEmpty else {
            throw ContentError.badTurn(index, "a message of a tool names the call it answers, and no other does")
        }
    }

    private static func check(_ image: ContentInlineMedia, total: Int, _ pointer: String) throws {
        guard imageTypes.contains(image.contentType) else {
            throw ContentError.badImage("\(pointer)/content_type", "send PNG, JPEG, WebP or GIF")
        }
        guard !image.data.isEmpty else { throw ContentError.badImage("\(pointer)/data", "it is empty") }
        guard total <= imageBytes else {
            throw ContentError.badImage("\(pointer)/data", "all images together have more than 512 KiB")
        }
    }
}
