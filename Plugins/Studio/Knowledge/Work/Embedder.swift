// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// The embedding feature.
struct Embedder: Sendable {
    /// Vectors of one model, all of the same dimensions.
    struct Answer: Sendable {
        var model: String
        var dimensions: Int
        var vectors: [[Float]]
    }

    private let client: ContentEmbeddingClient

    init(_ call: Call) { client = ContentEmbeddingClient(call, feature: Knowledge.embedding) }

    /// One vector a text, in order.
    func embed(_ texts: [String], for purpose: ContentEmbedPurpose) async throws -> Answer {
        let response = try await client.embed(
            .with {
                $0.texts = texts
                $0.purpose = purpose
            })
        let vectors = response.vectors.map(\.values)
        guard let first = vectors.first, !first.isEmpty, vectors.count == texts.count, !response.model.isEmpty,
            vectors.allSatisfy({ $0.count == first.count && $0.allSatisfy(\.isFinite) })
        else { throw KnowledgeError.malformed() }
        return Answer(model: response.model, dimensions: first.count, vectors: vectors)
    }

    /// What a chunk is embedded as: with the headings above it, which say what it is about.
    static func meaning(_ text: String, below headings: [String]) -> String {
        let title = headings.suffix(2).joined(separator: " ")
        return title.isEmpty || text.hasPrefix(title) ? text : "\(title)\n\(text)"
    }
}
