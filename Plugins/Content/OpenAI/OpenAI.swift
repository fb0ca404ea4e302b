// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// Chat and embeddings by any server that speaks the OpenAI API.
struct OpenAI: Plugin, ContentChatContract, ContentEmbeddingContract {
    static var operations: [TheatrePlugin.Operation<OpenAI>] { contentChatOperations + contentEmbeddingOperations }

    let host: PluginHost
    let configuration: OpenAIConfiguration

    init(_ host: PluginHost, _ configuration: OpenAIConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func complete(_ request: ContentChatRequest, _ call: Call) async throws -> ContentChatResponse {
        let body = try ChatBody(request, CallParameters(call), configuration)
        let json = try body.json(streamed: false)
        var spent = ContentUsage()
        for _ in 0..<2 {
            var response = try await ask(json, request, call)
            spent.add(response.usage)
            response.usage = spent
            guard body.wantsJSON, response.finishReason != .filtered else { return response }
            if let text = Self.checked(response.text, request) {
                response.text = text
                return response
            }
            guard response.finishReason != .length else { throw OpenAIError.limit }
            host.log.debug("answer is no JSON", ["content.model": response.model])
        }
        throw OpenAIError.badJSON
    }

    func embed(_ request: ContentEmbedRequest, _ call: Call) async throws -> ContentEmbedResponse {
        guard (1...256).contains(request.texts.count) else { throw OpenAIError.countOfTexts(request.texts.count) }
        if let empty = request.texts.firstIndex(where: \.isEmpty) { throw OpenAIError.emptyText(empty) }
        let model =
            try request.model.isEmpty
            ? CallParameters(call).model ?? configuration.embeddingModel : request.model
        let body = JSONValue.object([
            "model": .string(model), "input": .array(request.texts.map { .string($0) }),
            "encoding_format": .string(configuration.encodingFormat),
        ])
        let answer = try await post("embeddings", try body.json(), call)
        let read: EmbeddingAnswer
        do { read = try JSONDecoder().decode(EmbeddingAnswer.self, from: answer.body) } catch is DecodingError {
            throw OpenAIError.badAnswer("it is no list of embeddings")
        }
        guard let vectors = read.vectors(request.texts.count) else {
            throw OpenAIError.badAnswer("vectors are missing, double or not finite")
        }
        var response = ContentEmbedResponse()
        response.vectors = vectors
        response.model = read.model ?? model
        response.usage.estimated = read.usage == nil
        response.usage.inputTokens =
            read.usage?.promptTokens ?? request.texts.reduce(0) { $0 + TokenEstimate.tokens($1) }
        return response
    }

    /// The JSON asked for, or nil.
    private static func checked(_ text: String, _ request: ContentChatRequest) -> String? {
        if request.task == "outline", request.responseSchema.isEmpty {
            let chapter = request.messages.last { $0.role == .user }?.text ?? ""
            return OutlineTask.completed(text, chapter: chapter)
        }
        guard let value = JSONText.value(text) else { return nil }
        do { return String(decoding: try value.json(), as: UTF8.self) } catch { return nil }
    }

    private func ask(_ json: Data, _ request: ContentChatRequest, _ call: Call) async throws -> ContentChatResponse {
        let answer = try await post("chat/completions", json, call)
        guard let read = ChatAnswer(answer.body) else { throw OpenAIError.badAnswer("it is no JSON") }
        if let refusal = read.refusal { throw refusal.error }
        guard read.hasChoice else { throw OpenAIError.badAnswer("it has no choice") }
        var response = ContentChatResponse()
        response.text = read.text
        response.finishReason = read.finishReason
        response.usage = read.usage ?? TokenEstimate.usage(request, read.text)
        response.model = read.model
        return response
    }

    private func post(_ path: String, _ body: Data, _ call: Call) async throws -> HostFetchResponse {
        let answer: HostFetchResponse
        do {
            answer = try await HostEgressClient(call).fetch(fetch(path, body))
        } catch let error as PluginError {
            throw OpenAIError.transport(error)
        }
        guard answer.status == 200 else { throw ServerRefusal(answer).error }
        return answer
    }

    /// A request of the API.
    func fetch(_ path: String, _ body: Data) -> HostFetchRequest {
        var fields = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")]
        if configuration.authorization == "bearer" { fields.append(("authorization", "Bearer ${secret:api_key}")) }
        if !configuration.organization.isEmpty { fields.append(("openai-organization", configuration.organization)) }
        return .with {
            $0.method = "POST"
            $0.url = configuration.url(path)
            $0.addHeaders(fields)
            $0.body = body
            $0.timeoutMs = configuration.timeoutMilliseconds
            $0.maxResponseBytes = 16 << 20
        }
    }
}

extension ContentUsage {
    /// Adds what another attempt took.
    mutating func add(_ other: ContentUsage) {
        inputTokens += other.inputTokens
        outputTokens += other.outputTokens
        estimated = estimated || other.estimated
    }
}
