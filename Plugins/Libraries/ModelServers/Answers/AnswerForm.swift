// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts
public import TheatreManifest
public import TheatrePlugin

/// What an answer has to be.
public enum AnswerForm: Sendable {
    /// Whatever the model says.
    case text
    /// The task `outline`.
    case outline
    /// A document of the request's schema.
    case document(schema: JSONValue)

    /// As a request wants it.
    public init(_ request: ContentChatRequest) throws {
        guard request.task.isEmpty || request.task == "outline" else { throw ContentError.task(request.task) }
        guard !request.responseSchema.isEmpty else {
            self = request.task.isEmpty ? .text : .outline
            return
        }
        let schema: JSONValue
        do { schema = try JSONValue(json: Data(request.responseSchema.utf8)) } catch is ManifestError {
            throw ContentError.badSchema
        }
        guard schema.object != nil else { throw ContentError.badSchema }
        self = .document(schema: schema)
    }

    /// What an answer is held to; nil for free text.
    public var schema: JSONValue? {
        switch self {
        case .text: nil
        case .outline: OutlineTask.schema
        case .document(let schema): schema
        }
    }

    /// Asks until the answer is what it has to be: at most twice, with the usage of both.
    public func whole(
        _ request: ContentChatRequest, _ host: PluginHost, ask: () async throws -> ContentChatResponse
    ) async throws -> ContentChatResponse {
        var spent = ContentUsage()
        for _ in 0..<2 {
            var response = try await ask()
            spent.add(response.usage)
            response.usage = spent
            guard schema != nil, response.finishReason != .filtered, response.finishReason != .toolCalls else {
                return response
            }
            if let text = checked(response.text, request) {
                response.text = text
                return response
            }
            guard response.finishReason != .length else { throw ContentError.limit }
            host.log.debug("answer is no JSON", ["content.model": response.model])
        }
        throw ContentError.badJSON
    }

    /// The JSON asked for, or nil.
    private func checked(_ text: String, _ request: ContentChatRequest) -> String? {
        if case .outline = self {
            let chapter = request.messages.last { $0.role == .user }?.text ?? ""
            return OutlineTask.completed(text, chapter: chapter)
        }
        guard let value = JSONText.value(text) else { return nil }
        do { return String(decoding: try value.json(), as: UTF8.self) } catch { return nil }
    }
}

extension ContentChatPart {
    /// An answer in one part: JSON is of use only when it is whole and was looked at.
    public init(whole response: ContentChatResponse) {
        self = .with {
            $0.text = response.text
            $0.model = response.model
            $0.finishReason = response.finishReason
            $0.usage = response.usage
            $0.toolCalls = response.toolCalls.enumerated().map { index, call in
                .with {
                    $0.index = UInt32(index)
                    ($0.id, $0.name, $0.arguments) = (call.id, call.name, call.arguments)
                }
            }
        }
    }
}
