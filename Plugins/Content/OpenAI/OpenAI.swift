// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// All modalities of content by any server that speaks the OpenAI API.
struct OpenAI: Plugin, ContentChatContract, ContentEmbeddingContract, ContentImageContract, ContentModerationContract,
    ContentProviderContract, ContentRerankContract, ContentSpeechContract, ContentTranscriptionContract,
    ContentVideoContract
{
    static var operations: [TheatrePlugin.Operation<OpenAI>] {
        contentChatOperations + contentEmbeddingOperations + contentImageOperations + contentModerationOperations
            + contentProviderOperations + contentRerankOperations + contentSpeechOperations
            + contentTranscriptionOperations + contentVideoOperations
    }

    let host: PluginHost
    let configuration: OpenAIConfiguration
    let videos = VideoRequests()
    let server = ModelServer { ServerRefusal($0, $1).error }

    init(_ host: PluginHost, _ configuration: OpenAIConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func complete(_ request: ContentChatRequest, _ call: Call) async throws -> ContentChatResponse {
        let body = try ChatBody(request, CallParameters(call), configuration)
        let fetch = post("chat/completions", try body.json(streamed: false))
        return try await body.form.whole(request, host) {
            try read(try await server.fetch(fetch, call), request)
        }
    }

    /// What a completion says.
    func read(_ answer: HostFetchResponse, _ request: ContentChatRequest) throws -> ContentChatResponse {
        guard let read = ChatAnswer(answer.body) else { throw ContentError.badAnswer("it is no JSON") }
        if let refusal = read.refusal { throw refusal.error }
        guard read.hasChoice else { throw ContentError.badAnswer("it has no choice") }
        return .with {
            $0.text = read.text
            $0.toolCalls = read.calls.map { call in
                .with { ($0.id, $0.name, $0.arguments) = (call.id, call.name, call.arguments) }
            }
            $0.finishReason = read.finishReason
            $0.usage = read.usage ?? TokenEstimate.usage(request, read.text)
            $0.model = read.model
        }
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
        var fields = [("accept", "application/json, text/event-stream")]
        if configuration.authorization == "bearer" { fields.append(("authorization", "Bearer ${secret:api_key}")) }
        if !configuration.organization.isEmpty { fields.append(("openai-organization", configuration.organization)) }
        return .with {
            $0.method = "GET"
            $0.url = configuration.url(path)
            $0.addHeaders(fields)
            $0.timeoutMs = configuration.timeoutMilliseconds
            $0.maxResponseBytes = 16 << 20
        }
    }
}
