// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// The body of a request to `chat/completions`.
struct ChatBody: Sendable {
    private var members: [String: JSONValue]
    private let streamUsage: OpenAIConfiguration.StreamUsage
    /// What the answer must be.
    let form: AnswerForm

    init(_ request: ContentChatRequest, _ parameters: CallParameters, _ configuration: OpenAIConfiguration) throws {
        form = try AnswerForm(request)
        streamUsage = configuration.streamUsage
        try ChatRules.check(request)
        var messages: [JSONValue] = []
        if request.task == "outline" { messages = [ChatTurn.plain("system", OutlineTask.instruction)] }
        messages += request.messages.map(ChatTurn.json)
        members = [
            "model": .string(request.model.isEmpty ? parameters.model ?? configuration.model : request.model),
            "messages": .array(messages),
        ]
        let bound = request.maxTokens == 0 ? parameters.maxTokens ?? 0 : request.maxTokens
        if bound > 0 { members[configuration.maxTokensField] = .integer(Int64(bound)) }
        if let temperature = request.hasTemperature ? request.temperature : parameters.temperature {
            members["temperature"] = .number(temperature)
        }
        if let topP = request.hasTopP ? request.topP : parameters.topP { members["top_p"] = .number(topP) }
        if request.hasSeed { members["seed"] = .integer(request.seed) }
        if !request.stop.isEmpty { members["stop"] = .array(request.stop.map { .string($0) }) }
        if configuration.reasoning == .effort, let effort = Self.effort(parameters.reasoning(request)) {
            members["reasoning_effort"] = .string(effort)
        }
        try addTools(request)
        addFormat(configuration.responseFormat, isOutline: request.task == "outline")
    }

    /// The bytes to send.
    func json(streamed: Bool) throws -> Data {
        var members = members
        if streamed {
            members["stream"] = .bool(true)
            if streamUsage == .include { members["stream_options"] = .object(["include_usage": .bool(true)]) }
        }
        return try JSONValue.object(members).json()
    }

    private static func effort(_ reasoning: ContentReasoning) -> String? {
        switch reasoning {
        case .low: "low"
        case .medium: "medium"
        case .high: "high"
        default: nil
        }
    }

    private mutating func addTools(_ request: ContentChatRequest) throws {
        guard !request.tools.isEmpty else { return }
        members["tools"] = .array(
            try request.tools.enumerated().map { index, tool in
                var function = [
                    "name": JSONValue.string(tool.name), "parameters": try ChatRules.parameters(of: tool, index),
                ]
                if !tool.description_p.isEmpty { function["description"] = .string(tool.description_p) }
                return .object(["type": .string("function"), "function": .object(function)])
            })
        switch request.toolChoice {
        case .none: members["tool_choice"] = .string("none")
        case .required: members["tool_choice"] = .string("required")
        default: break
        }
    }

    private mutating func addFormat(_ format: OpenAIConfiguration.ResponseFormat, isOutline: Bool) {
        guard let schema = form.schema else { return }
        // Only our own schema is known to keep to the subset that strict servers take.
        var isOwn = false
        if case .outline = form { isOwn = true }
        switch format {
        case .schema:
            members["response_format"] = .object([
                "type": .string("json_schema"),
                "json_schema": .object([
                    "name": .string(isOutline ? "outline" : "answer"), "strict": .bool(isOwn), "schema": schema,
                ]),
            ])
        case .object: members["response_format"] = .object(["type": .string("json_object")])
        case .none: break
        }
    }
}

/// A message as the API has it.
enum ChatTurn {
    static func plain(_ role: String, _ text: String) -> JSONValue {
        .object(["role": .string(role), "content": .string(text)])
    }

    static func json(_ message: ContentChatMessage) -> JSONValue {
        switch message.role {
        case .system: return plain("system", message.text)
        case .assistant: return assistant(message)
        case .tool:
            return .object([
                "role": .string("tool"), "content": .string(message.text),
                "tool_call_id": .string(message.toolCallID),
            ])
        default: return message.images.isEmpty ? plain("user", message.text) : showing(message)
        }
    }

    private static func showing(_ message: ContentChatMessage) -> JSONValue {
        let text = JSONValue.object(["type": .string("text"), "text": .string(message.text)])
        let images = message.images.map { image in
            let url = "data:\(image.contentType);base64,\(image.data.base64EncodedString())"
            return JSONValue.object([
                "type": .string("image_url"), "image_url": .object(["url": .string(url)]),
            ])
        }
        return .object(["role": .string("user"), "content": .array((message.text.isEmpty ? [] : [text]) + images)])
    }

    private static func assistant(_ message: ContentChatMessage) -> JSONValue {
        guard !message.toolCalls.isEmpty else { return plain("assistant", message.text) }
        let calls = message.toolCalls.map { call in
            let arguments = call.arguments.isEmpty ? "{}" : call.arguments
            return JSONValue.object([
                "id": .string(call.id), "type": .string("function"),
                "function": .object(["name": .string(call.name), "arguments": .string(arguments)]),
            ])
        }
        return .object([
            "role": .string("assistant"), "content": message.text.isEmpty ? .null : .string(message.text),
            "tool_calls": .array(calls),
        ])
    }
}
