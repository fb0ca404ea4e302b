// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts

/// An answer of `embeddings`; vectors come as numbers or as base64 of little-endian 32-bit floats.
struct EmbeddingAnswer: Decodable, Sendable {
    var data: [Item]
    var model: String?
    var usage: Usage?

    /// One vector.
    struct Item: Decodable, Sendable {
        var index: Int
        var values: [Float]

        enum CodingKeys: String, CodingKey { case index, embedding }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            index = try container.decode(Int.self, forKey: .index)
            do {
                values = try container.decode([Float].self, forKey: .embedding)
            } catch is DecodingError {
                let text = try container.decode(String.self, forKey: .embedding)
                guard let bytes = Data(base64Encoded: text), bytes.count % 4 == 0 else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .embedding, in: container, debugDescription: "no base64 of floats")
                }
                values = Self.floats(Array(bytes))
            }
        }

        private static func floats(_ bytes: [UInt8]) -> [Float] {
            stride(from: 0, to: bytes.count, by: 4).map { at in
                let low = UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8
                return Float(bitPattern: low | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24)
            }
        }
    }

    /// Tokens read.
    struct Usage: Decodable, Sendable {
        var promptTokens: Int64

        enum CodingKeys: String, CodingKey { case promptTokens = "prompt_tokens" }
    }

    /// One vector a text, by index; nil where some are missing, double, empty or not finite.
    func vectors(_ count: Int) -> [ContentVector]? {
        let sorted = data.sorted { $0.index < $1.index }
        guard sorted.map(\.index) == Array(0..<count),
            sorted.allSatisfy({ !$0.values.isEmpty && $0.values.allSatisfy(\.isFinite) })
        else { return nil }
        return sorted.map { item in
            var vector = ContentVector()
            vector.values = item.values
            return vector
        }
    }
}
