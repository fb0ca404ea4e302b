// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// The body of a request to `messages`.
struct MessagesBody: Sendable {
    private var members: [String: JSONValue]
    /// What the answer must be.
    let form: AnswerForm
    /// Whether the answer is what the model gives to a tool that takes it.
    let usesTool: Bool

    /// Fewest tokens that the API lets a model think with.
    private static let leastBudget: UInt32 = 1024
    /// The tool that takes a document.
    static let tool = "answer"

    init(
        _ request: ContentChatRequest, _ parameters: CallParameters, _ configuration: AnthropicConfiguration
    ) throws {
        form = try AnswerForm(request)
        try ChatRules.check(request)
        let turns = try Turns(request.messages)
        let asked = request.maxTokens == 0 ? parameters.maxTokens ?? 0 : request.maxTokens
        let bound = asked == 0 ? configuration.maxTokens : asked
        members = [
            "model": .string(request.model.isEmpty ? parameters.model ?? configuration.model : request.model),
            "max_tokens": .integer(Int64(bound)), "messages": turns.json,
        ]
        // Half of the bound is left to the answer. Whoever continues after a tool would have to show the thoughts before
        // the call, which the contract does not carry; whoever must call a tool may not think.
        let budget = min(configuration.budget(parameters.reasoning(request)), bound / 2)
        let thinks = budget >= Self.leastBudget && !turns.endsWithResults && request.toolChoice != .required
        if thinks {
            members["thinking"] = .object(["type": .string("enabled"), "budget_tokens": .integer(Int64(budget))])
        } else {
            // A model that thinks takes neither.
            if let temperature = request.hasTemperature ? request.temperature : parameters.temperature {
                members["temperature"] = .number(temperature)
            }
            if let topP = request.hasTopP ? request.topP : parameters.topP { members["top_p"] = .number(topP) }
        }
        if !request.stop.isEmpty { members["stop_sequences"] = .array(request.stop.map { .string($0) }) }
        let isObject = form.schema?["type"]?.string == "object"
        usesTool = isObject && configuration.documents == .tool && request.tools.isEmpty && !thinks
        try addTools(request)
        addSystem(turns.system, request)
    }

    /// The bytes to send.
    func json(streamed: Bool) throws -> Data {
        var members = members
        if streamed { members["stream"] = .bool(true) }
        return try JSONValue.object(members).json()
    }

    private mutating func addTools(_ request: ContentChatRequest) throws {
        if usesTool, let schema = form.schema {
            members["tools"] = .array([
                .object([
                    "name": .string(Self.tool), "description": .string("Takes the answer."), "input_schema": schema,
                ])
            ])
            members["tool_choice"] = .object(["type": .string("tool"), "name": .string(Self.tool)])
            return
        }
        guard !request.tools.isEmpty else { return }
        members["tools"] = .array(
            try request.tools.enumerated().map { index, tool in
                var members = [
                    "name": JSONValue.string(tool.name), "input_schema": try ChatRules.parameters(of: tool, index),
                ]
                if !tool.description_p.isEmpty { members["description"] = .string(tool.description_p) }
                return .object(members)
            })
        switch request.toolChoice {
        case .none: members["tool_choice"] = .object(["type": .string("none")])
        case .required: members["tool_choice"] = .object(["type": .string("any")])
        default: break
        }
    }

    private mutating func addSystem(_ rules: [String], _ request: ContentChatRequest) {
        var rules = rules
        if request.task == "outline" { rules.insert(OutlineTask.instruction, at: 0) }
        if let schema = form.schema, !usesTool {
            do {
                let text = String(decoding: try schema.json(), as: UTF8.self)
                rules.append("Answer with one JSON document of this JSON Schema and nothing else: \(text)")
            } catch {
                rules.append("Answer with one JSON document and nothing else.")
            }
        }
        if !rules.isEmpty { members["system"] = .string(rules.joined(separator: "\n\n")) }
    }
}
