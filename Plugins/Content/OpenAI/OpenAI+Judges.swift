// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

extension OpenAI {
    // MARK: rerank

    func rank(_ request: ContentRankRequest, _ call: Call) async throws -> ContentRankResponse {
        let model = try request.model.isEmpty ? CallParameters(call).model ?? configuration.rerankModel : request.model
        return try read(try await server.fetch(try ranking(request, by: model), call), request, by: model)
    }

    /// A request for an order.
    func ranking(_ request: ContentRankRequest, by model: String) throws -> HostFetchRequest {
        guard !request.query.isEmpty else { throw ContentError.empty("/query") }
        guard (1...1000).contains(request.documents.count) else {
            throw ContentError.count("/documents", request.documents.count, 1...1000)
        }
        var body: [String: JSONValue] = [
            "model": .string(model), "query": .string(request.query),
            "documents": .array(request.documents.map { .string($0) }),
        ]
        if request.top > 0 { body["top_n"] = .integer(Int64(request.top)) }
        return post("rerank", try JSONValue.object(body).json())
    }

    /// The order that came.
    func read(
        _ answer: HostFetchResponse, _ request: ContentRankRequest, by model: String
    ) throws -> ContentRankResponse {
        let value = JSONText.object(String(decoding: answer.body, as: UTF8.self))
        guard let list = (value?["results"] ?? value?["data"])?.array else {
            throw ContentError.badAnswer("it is no list of documents")
        }
        let ranked = list.compactMap { item -> (index: Int64, score: Double)? in
            let score = item["relevance_score"] ?? item["score"]
            guard let index = item["index"]?.integer, let score = score?.real,
                score.isFinite, request.documents.indices.contains(Int(index))
            else { return nil }
            return (index, score)
        }
        guard ranked.count == list.count, Set(ranked.map(\.index)).count == ranked.count, !ranked.isEmpty else {
            throw ContentError.badAnswer("documents are double, unknown or without a score")
        }
        // Some servers give scores of any size: they are brought between 0 and 1 in the same order.
        let isBounded = ranked.allSatisfy { (0...1).contains($0.score) }
        let sorted = ranked.sorted { (-$0.score, $0.index) < (-$1.score, $1.index) }
        let tokens = (value?["usage"]?["total_tokens"] ?? value?["usage"]?["prompt_tokens"])?.integer
        return .with {
            $0.items = sorted.prefix(request.top > 0 ? Int(request.top) : sorted.count).map { item in
                .with {
                    $0.index = UInt32(item.index)
                    $0.score = isBounded ? item.score : (1 + item.score / (1 + abs(item.score))) / 2
                }
            }
            $0.usage.documents = Int64(request.documents.count)
            $0.usage.inputTokens =
                tokens
                ?? request.documents.reduce(TokenEstimate.tokens(request.query)) { $0 + TokenEstimate.tokens($1) }
            $0.usage.estimated = tokens == nil
            $0.model = value?["model"]?.string ?? model
        }
    }

    // MARK: moderation

    func classify(_ request: ContentClassifyRequest, _ call: Call) async throws -> ContentClassifyResponse {
        let model =
            try request.model.isEmpty ? CallParameters(call).model ?? configuration.moderationModel : request.model
        return try read(try await server.fetch(try moderation(request, by: model), call), request, by: model)
    }

    /// A request for judgements.
    func moderation(_ request: ContentClassifyRequest, by model: String) throws -> HostFetchRequest {
        guard request.images.isEmpty else {
            throw ContentError.unsupported("/images", "texts are judged, a call for all")
        }
        guard (1...100).contains(request.texts.count) else {
            throw ContentError.count("/texts", request.texts.count, 1...100)
        }
        let body: [String: JSONValue] = [
            "model": .string(model), "input": .array(request.texts.map { .string($0) }),
        ]
        return post("moderations", try JSONValue.object(body).json())
    }

    /// The judgements that came.
    func read(
        _ answer: HostFetchResponse, _ request: ContentClassifyRequest, by model: String
    ) throws -> ContentClassifyResponse {
        let value = JSONText.object(String(decoding: answer.body, as: UTF8.self))
        guard let list = value?["results"]?.array, list.count == request.texts.count else {
            throw ContentError.badAnswer("it has not one judgement a text")
        }
        return .with {
            $0.items = list.map(Self.judgement)
            $0.usage.inputTokens = request.texts.reduce(0) { $0 + TokenEstimate.tokens($1) }
            $0.usage.estimated = true
            $0.model = value?["model"]?.string ?? model
        }
    }

    private static func judgement(_ value: JSONValue) -> ContentJudgement {
        let flags = value["categories"]?.object ?? [:]
        let scores = value["category_scores"]?.object ?? [:]
        return .with {
            // `violence/graphic` and `self-harm` are the contract's violence_graphic and self_harm.
            $0.categories = flags.keys.sorted().map { name in
                .with {
                    $0.category = name.replacing("/", with: "_").replacing("-", with: "_")
                    $0.isFlagged = flags[name]?.bool ?? false
                    let score = scores[name]?.real
                    $0.score = min(1, max(0, score ?? ($0.isFlagged ? 1 : 0)))
                }
            }
            $0.isFlagged = value["flagged"]?.bool ?? false || $0.categories.contains { $0.isFlagged }
        }
    }
}
