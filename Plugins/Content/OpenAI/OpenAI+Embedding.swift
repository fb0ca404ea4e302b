// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import TheatreContracts
import TheatreManifest
import TheatrePlugin

extension OpenAI {
    func embed(_ request: ContentEmbedRequest, _ call: Call) async throws -> ContentEmbedResponse {
        guard (1...256).contains(request.texts.count) else { throw ContentError.countOfTexts(request.texts.count) }
        if let empty = request.texts.firstIndex(where: \.isEmpty) { throw ContentError.emptyText(empty) }
        let model =
            try request.model.isEmpty
            ? CallParameters(call).model ?? configuration.embeddingModel : request.model
        let fetch = try embedding(of: request.texts, by: model, dimensions: request.dimensions)
        let answer = try await server.fetch(fetch, call)
        return try read(answer, of: request.texts, by: model)
    }

    /// A request for vectors.
    ///
    /// - Parameter dimensions: 0: as many as the model gives.
    func embedding(of texts: [String], by model: String, dimensions: UInt32) throws -> HostFetchRequest {
        var body: [String: JSONValue] = [
            "model": .string(model), "input": .array(texts.map { .string($0) }),
            "encoding_format": .string(configuration.encodingFormat),
        ]
        if dimensions > 0 { body["dimensions"] = .integer(Int64(dimensions)) }
        return post("embeddings", try JSONValue.object(body).json())
    }

    /// The vectors that came for texts.
    func read(_ answer: HostFetchResponse, of texts: [String], by model: String) throws -> ContentEmbedResponse {
        let read: EmbeddingAnswer
        do { read = try JSONDecoder().decode(EmbeddingAnswer.self, from: answer.body) } catch is DecodingError {
            throw ContentError.badAnswer("it is no list of embeddings")
        }
        guard let vectors = read.vectors(texts.count) else {
            throw ContentError.badAnswer("vectors are missing, double or not finite")
        }
        var response = ContentEmbedResponse()
        response.vectors = vectors
        response.model = read.model ?? model
        response.usage.estimated = read.usage == nil
        response.usage.inputTokens = read.usage?.promptTokens ?? texts.reduce(0) { $0 + TokenEstimate.tokens($1) }
        return response
    }
}
