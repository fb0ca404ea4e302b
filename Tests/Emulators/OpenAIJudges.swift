// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Moderation and rerank.
enum OpenAIJudges {
    private static let categories = [
        "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
        "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
    ]

    static func moderations(_ body: [UInt8], models: Set<String>) throws -> EmulatorAnswer {
        let fields = try OpenAIFields(body, ["model": .text, "input": .texts], required: ["model", "input"])
        let model = try fields.model(of: models)
        let results = (fields.object["input"] as? [String] ?? []).map { text in
            let found = text.contains("kill myself") ? "self-harm" : text.contains("blood") ? "violence/graphic" : ""
            return [
                "flagged": !found.isEmpty,
                "categories": Dictionary(uniqueKeysWithValues: categories.map { ($0, $0 == found) }),
                "category_scores": Dictionary(
                    uniqueKeysWithValues: categories.map { ($0, $0 == found ? 0.97 : 0.0001) }),
            ] as [String: Any]
        }
        return try EmulatorAnswer.json(200, ["id": "modr-1", "model": model, "results": results])
    }

    /// As vLLM, Jina and llama.cpp serve it; by words that both have. A model named raw gives logits.
    static func rerank(_ body: [UInt8], models: Set<String>) throws -> EmulatorAnswer {
        let fields = try OpenAIFields(
            body, ["model": .text, "query": .text, "documents": .texts, "top_n": .integer],
            required: ["model", "query", "documents"])
        let model = try fields.model(of: models)
        let documents = fields.object["documents"] as? [String] ?? []
        guard !documents.isEmpty, fields.integer("top_n") ?? 1 > 0 else {
            throw OpenAIRefusal(400, "documents must not be empty", param: "documents")
        }
        let wanted = words(fields.text("query"))
        let scored = documents.enumerated().map { index, text in
            (index, Double(words(text).intersection(wanted).count) / Double(max(1, wanted.count)))
        }
        let sorted = scored.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(fields.integer("top_n") ?? documents.count)
        return try EmulatorAnswer.json(
            200,
            [
                "id": "rerank-1", "model": model, "usage": ["total_tokens": documents.count * 3],
                "results": sorted.map { index, score in
                    ["index": index, "relevance_score": model == "raw" ? score * 20 - 10 : score] as [String: Any]
                },
            ])
    }

    private static func words(_ text: String) -> Set<String> {
        Set(text.lowercased().split { !$0.isLetter }.map { String($0.hasSuffix("s") ? $0.dropLast() : $0) })
    }
}
