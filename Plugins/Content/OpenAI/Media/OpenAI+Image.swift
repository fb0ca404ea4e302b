// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

extension OpenAI {
    func generate(_ request: ContentImageRequest, _ call: Call, _ output: MessageSink<ContentMediaPart>) async throws {
        let model = try request.model.isEmpty ? CallParameters(call).model ?? configuration.imageModel : request.model
        let answer = try await server.collect(try image(request, by: model), call)
        let made = try ImageAnswer(answer.body)
        let parts = MediaParts(output)
        for (index, image) in made.images.enumerated() {
            try await parts.head(
                .with {
                    $0.index = UInt32(index)
                    $0.contentType = image.contentType
                    $0.size = Int64(image.data.count)
                    ($0.width, $0.height) = image.size ?? (request.width, request.height)
                    $0.revisedPrompt = image.revisedPrompt
                })
            try await parts.data(image.data)
        }
        try await parts.end(model, made.usage(request))
    }

    /// A request for images.
    func image(_ request: ContentImageRequest, by model: String) throws -> HostFetchRequest {
        guard !request.prompt.isEmpty else { throw ContentError.empty("/prompt") }
        guard request.negativePrompt.isEmpty else {
            throw ContentError.unsupported("/negative_prompt", "the API has no field for what not to show")
        }
        guard request.references.isEmpty else {
            throw ContentError.unsupported("/references", "images to go by are not sent")
        }
        guard !request.hasSeed else { throw ContentError.unsupported("/seed", "the API has no field for a seed") }
        guard request.count <= 10 else { throw ContentError.count("/count", Int(request.count), 1...10) }
        guard (request.width == 0) == (request.height == 0) else {
            throw ContentError.unsupported("/width", "name both sides, or none")
        }
        var body: [String: JSONValue] = [
            "model": .string(model), "prompt": .string(request.prompt), "n": .integer(Int64(max(1, request.count))),
        ]
        if request.width > 0 { body["size"] = .string("\(request.width)x\(request.height)") }
        switch configuration.imageFormat {
        case .output:
            if let format = Self.imageFormats[request.contentType] { body["output_format"] = .string(format) }
            guard request.contentType.isEmpty || body["output_format"] != nil else {
                throw ContentError.unsupported("/content_type", "images are PNG, JPEG or WebP")
            }
        case .response:
            body["response_format"] = .string("b64_json")
            guard ["", "image/png"].contains(request.contentType) else {
                throw ContentError.unsupported("/content_type", "the server does not let one choose")
            }
        }
        return post("images/generations", try JSONValue.object(body).json())
    }

    private static let imageFormats = ["image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"]
}

/// An answer of `images/generations`.
struct ImageAnswer: Sendable {
    /// An image as it came.
    struct Item: Sendable {
        var data: Data
        var revisedPrompt: String

        /// By how it begins.
        var contentType: String {
            data.starts(with: [0xFF, 0xD8]) ? "image/jpeg" : data.starts(with: "RIFF".utf8) ? "image/webp" : "image/png"
        }

        /// Of a PNG, from its header.
        var size: (UInt32, UInt32)? {
            guard contentType == "image/png", data.count >= 24 else { return nil }
            let sides = Array(data.dropFirst(16).prefix(8))
            return (
                sides[0..<4].reduce(0) { $0 << 8 | UInt32($1) }, sides[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
            )
        }
    }

    let images: [Item]
    private let tokens: (input: Int64, output: Int64)?

    init(_ body: Data) throws {
        guard let value = JSONText.object(String(decoding: body, as: UTF8.self)), let list = value["data"]?.array,
            !list.isEmpty
        else { throw ContentError.badAnswer("it is no list of images") }
        images = try list.map { item in
            guard let text = item["b64_json"]?.string, let data = Data(base64Encoded: text), !data.isEmpty else {
                throw ContentError.badAnswer("an image is not in it; look at image_format")
            }
            return Item(data: data, revisedPrompt: item["revised_prompt"]?.string ?? "")
        }
        if let input = value["usage"]?["input_tokens"]?.integer, input >= 0 {
            tokens = (input, max(0, value["usage"]?["output_tokens"]?.integer ?? 0))
        } else {
            tokens = nil
        }
    }

    /// What the server says it took, else the prompt as we count it.
    func usage(_ request: ContentImageRequest) -> ContentUsage {
        .with {
            $0.images = Int64(images.count)
            $0.inputTokens = tokens?.input ?? TokenEstimate.tokens(request.prompt)
            $0.outputTokens = tokens?.output ?? 0
            $0.estimated = tokens == nil
        }
    }
}
