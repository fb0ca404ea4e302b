// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// The body of a request to `chat/completions`.
struct ChatBody: Sendable {
    private var members: [String: JSONValue]
    /// Whether the answer must be JSON.
    let wantsJSON: Bool

    init(_ request: ContentChatRequest, _ parameters: CallParameters, _ configuration: OpenAIConfiguration) throws {
        guard request.task.isEmpty || request.task == "outline" else { throw OpenAIError.task(request.task) }
        guard request.messages.contains(where: { $0.role == .user && !$0.text.isEmpty }) else {
            throw OpenAIError.noMessage
        }
        let isOutline = request.task == "outline"
        var messages = isOutline ? [Self.message("system", OutlineTask.instruction)] : []
        for message in request.messages { messages.append(Self.message(try Self.role(message), message.text)) }
        members = [
            "model": .string(request.model.isEmpty ? parameters.model ?? configuration.model : request.model),
            "messages": .array(messages),
        ]
        let bound = request.maxTokens == 0 ? parameters.maxTokens ?? 0 : request.maxTokens
        if bound > 0 { members[configuration.maxTokensField] = .integer(Int64(bound)) }
        if let temperature = request.hasTemperature ? request.temperature : parameters.temperature {
            members["temperature"] = .number(temperature)
        }
        if request.hasSeed { members["seed"] = .integer(request.seed) }
        wantsJSON = isOutline || !request.responseSchema.isEmpty
        guard wantsJSON else { return }
        switch configuration.responseFormat {
        case .schema: members["response_format"] = try Self.format(request, isOutline)
        case .object: members["response_format"] = .object(["type": .string("json_object")])
        case .none: break
        }
    }

    /// The bytes to send.
    func json(streamed: Bool) throws -> Data {
        var members = members
        if streamed {
            members["stream"] = .bool(true)
            members["stream_options"] = .object(["include_usage": .bool(true)])
        }
        return try JSONValue.object(members).json()
    }

    private static func message(_ role: String, _ text: String) -> JSONValue {
        .object(["role": .string(role), "content": .string(text)])
    }

    private static func role(_ message: ContentChatMessage) throws -> String {
        switch message.role {
        case .system: "system"
        case .user: "user"
        case .assistant: "assistant"
        default: throw OpenAIError.noMessage
        }
    }

    private static func format(_ request: ContentChatRequest, _ isOutline: Bool) throws -> JSONValue {
        var schema = OutlineTask.schema
        if !request.responseSchema.isEmpty {
            do { schema = try JSONValue(json: Data(request.responseSchema.utf8)) } catch is ManifestError {
                throw OpenAIError.badSchema
            }
            guard schema.object != nil else { throw OpenAIError.badSchema }
        }
        // Only our own schema is known to keep to the subset that strict servers take.
        let isOwn = isOutline && request.responseSchema.isEmpty
        return .object([
            "type": .string("json_schema"),
            "json_schema": .object([
                "name": .string(isOutline ? "outline" : "answer"), "strict": .bool(isOwn), "schema": schema,
            ]),
        ])
    }
}
