// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// Embeddings out of digests: equal for equal texts, of length one.
enum OpenAIEmbeddings {
    static func answer(
        _ body: [UInt8], models: Set<String>, _ fault: OpenAIEmulator.Fault?
    ) throws -> EmulatorAnswer {
        if case .cut = fault { return .cut }
        let object = try OpenAIChatRequest.object(body)
        let known: Set = ["model", "input", "encoding_format", "dimensions", "user"]
        if let name = object.keys.sorted().first(where: { !known.contains($0) }) {
            throw OpenAIRefusal(400, "Unrecognized request argument supplied: \(name)", param: name)
        }
        guard let model = object["model"] as? String else {
            throw OpenAIRefusal(400, "you must provide a model parameter")
        }
        guard models.contains(model) else {
            throw OpenAIRefusal(404, "The model `\(model)` does not exist.", code: "model_not_found")
        }
        guard let texts = object["input"] as? [String] ?? (object["input"] as? String).map({ [$0] }), !texts.isEmpty,
            !texts.contains("")
        else { throw OpenAIRefusal(400, "'$.input' is invalid.", param: "input") }
        let format = object["encoding_format"] as? String ?? "float"
        guard ["float", "base64"].contains(format) else {
            throw OpenAIRefusal(400, "'\(format)' is not one of ['float', 'base64'] - 'encoding_format'")
        }
        let dimensions = object["dimensions"] as? Int ?? 1536
        // Last first: what counts is the index.
        let data = texts.enumerated().reversed().map { index, text in
            let vector = vector(text, dimensions)
            let embedding: Any = format == "float" ? vector.map { Double($0) } : base64(vector)
            return ["object": "embedding", "index": index, "embedding": embedding] as [String: Any]
        }
        let tokens = texts.reduce(0) { $0 + max(1, $1.utf8.count / 4) }
        return try EmulatorAnswer.json(
            200,
            [
                "object": "list", "model": model, "data": data,
                "usage": ["prompt_tokens": tokens, "total_tokens": tokens],
            ])
    }

    /// The vector of a text.
    static func vector(_ text: String, _ dimensions: Int) -> [Float] {
        var values: [Float] = []
        var block = 0
        while values.count < dimensions {
            let digest = SHA256.hash(data: Data("\(block) \(text)".utf8))
            values += digest.map { Float(Int($0) - 128) / 128 }
            block += 1
        }
        values = Array(values.prefix(dimensions))
        let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return values.map { $0 / length }
    }

    private static func base64(_ vector: [Float]) -> String {
        var bytes = Data()
        for value in vector { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
        return bytes.base64EncodedString()
    }
}
