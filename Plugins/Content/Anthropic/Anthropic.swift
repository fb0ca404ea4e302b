// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Chat by the Anthropic Messages API.
struct Anthropic: Plugin, ContentChatContract, ContentProviderContract {
    static var operations: [TheatrePlugin.Operation<Anthropic>] {
        contentChatOperations + contentProviderOperations
    }

    let host: PluginHost
    let configuration: AnthropicConfiguration
    let server = ModelServer { AnthropicError($0, $1).error }

    init(_ host: PluginHost, _ configuration: AnthropicConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func complete(_ request: ContentChatRequest, _ call: Call) async throws -> ContentChatResponse {
        let body = try MessagesBody(request, CallParameters(call), configuration)
        let fetch = post("messages", try body.json(streamed: false))
        return try await body.form.whole(request, host) {
            try Self.read(try await server.fetch(fetch, call), request, body)
        }
    }

    func stream(_ request: ContentChatRequest, _ call: Call, _ output: MessageSink<ContentChatPart>) async throws {
        let body = try MessagesBody(request, CallParameters(call), configuration)
        guard body.form.schema == nil else {
            return try await output.send(ContentChatPart(whole: try await complete(request, call)))
        }
        let fetch = post("messages", try body.json(streamed: true))
        try await server.stream(fetch, MessageEvents(), for: request, call, output)
    }

    /// What an answer says.
    static func read(
        _ answer: HostFetchResponse, _ request: ContentChatRequest, _ body: MessagesBody
    ) throws -> ContentChatResponse {
        guard let message = MessageAnswer(answer.body) else { throw ContentError.badAnswer("it is no message") }
        return try message.response(request, usesTool: body.usesTool)
    }

    // MARK: requests

    /// A request of the API with a body.
    func post(_ path: String, _ body: Data) -> HostFetchRequest {
        var request = get(path)
        request.method = "POST"
        request.addHeaders([("content-type", "application/json")])
        request.body = body
        return request
    }

    /// A request of the API without one.
    func get(_ path: String) -> HostFetchRequest {
        var fields = [
            ("accept", "application/json, text/event-stream"), ("anthropic-version", configuration.version),
        ]
        switch configuration.authorization {
        case .field: fields.append(("x-api-key", "${secret:api_key}"))
        case .bearer: fields.append(("authorization", "Bearer ${secret:api_key}"))
        case .none: break
        }
        return .with {
            $0.method = "GET"
            $0.url = configuration.url(path)
            $0.addHeaders(fields)
            $0.timeoutMs = configuration.timeoutMilliseconds
            $0.maxResponseBytes = 16 << 20
        }
    }
}
