// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Offline {
    /// What it has, by capability.
    private static let models: [(name: String, capability: String)] = [
        (rankModel, "Rerank"), (OfflineChat.model, "Chat"),
        (HashingEmbedder.model(HashingEmbedder.dimensions), "Embedding"),
        (imageModel, "Image"), (videoModel, "Video"), (moderationModel, "Moderation"), (speechModel, "Speech"),
        (speechModel, "Transcription"),
    ]

    func listModels(_ request: ContentListModelsRequest, _ call: Call) async throws -> ContentListModelsResponse {
        let names = Set(Self.models.map(\.name)).sorted()
        return .with {
            $0.items = names.map { name in
                .with {
                    $0.name = name
                    $0.capabilities = Self.models.filter { $0.name == name }
                        .map { "theatre.content.v1.\($0.capability)" }.sorted()
                }
            }
        }
    }

    func probe(_ request: ContentProbeRequest, _ call: Call) async throws -> ContentProbeResponse {
        var response = ContentProbeResponse.with { $0.ok = true }
        switch request.tier {
        case .configuration: response.evidence = ["there is nothing to configure"]
        case .free:
            response.balance.state = .unsupported
            let names = Set(Self.models.map(\.name))
            response.evidence = ["\(names.count) models are built in"]
            if !request.model.isEmpty, !names.contains(request.model) {
                response.ok = false
                response.errorClass = .client
                response.reason = "content.model_unknown"
                response.message = "The model \(request.model) is none of this provider's; ListModels names them."
            }
        case .canary: try await canary(request.capability, call, &response)
        default: throw OfflineError.badProbe("/tier", "name a tier")
        }
        return response
    }

    /// One small piece of work of a capability, really done.
    private func canary(_ capability: String, _ call: Call, _ response: inout ContentProbeResponse) async throws {
        response.balance.state = .unsupported
        switch capability {
        case "theatre.content.v1.Chat":
            let chat = ContentChatRequest.with {
                $0.messages = [.with { ($0.role, $0.text) = (.user, "The bridge is ready. Is the bridge ready?") }]
                $0.maxTokens = 16
            }
            let answer = try await complete(chat, call)
            response.usage = answer.usage
            response.evidence = ["\(answer.model) answered with \(answer.text.count) characters"]
        case "theatre.content.v1.Embedding":
            let answer = try await embed(.with { $0.texts = ["ready"] }, call)
            response.usage = answer.usage
            let length = answer.vectors.first?.values.count ?? 0
            response.evidence = ["\(answer.model) gave a vector of \(length) numbers"]
            response.attributes = #"{"dimensions":\#(length)}"#
        case "theatre.content.v1.Rerank":
            let answer = try await rank(
                .with { ($0.query, $0.documents) = ("lamp", ["the bridge", "a lamp"]) }, call)
            response.usage = answer.usage
            response.evidence = ["document \(answer.items.first?.index ?? 0) of 2 came first"]
        case "theatre.content.v1.Moderation":
            let answer = try await classify(.with { $0.texts = ["ready"] }, call)
            response.usage = answer.usage
            response.evidence = ["\(answer.items.first?.categories.count ?? 0) categories were judged"]
        case "theatre.content.v1.Image", "theatre.content.v1.Video":
            let landscape = Landscape(seed: 1)
            let file = PNG.file(
                width: 16, height: 16, pixels: landscape.pixels(width: 16, height: 16), palette: landscape.palette)
            if capability.hasSuffix("Image") { response.usage.images = 1 } else { response.usage.videoMs = 125 }
            response.evidence = ["a picture of 16 by 16 pixels has \(file.count) bytes"]
        case "theatre.content.v1.Speech", "theatre.content.v1.Transcription":
            let tones = Tones("ready", speed: 1)
            response.usage.audioMs = tones.milliseconds
            if capability.hasSuffix("Speech") { response.usage.characters = 5 }
            let bytes = WAV.header(samples: tones.sampleCount) + (0..<tones.pieces).flatMap { tones.bytes(of: $0) }
            let heard = WAV(bytes).flatMap(ToneReader.init)?.text ?? ""
            response.evidence = ["\(bytes.count) bytes of sound are heard as \"\(heard)\""]
        default: throw OfflineError.badProbe("/capability", "this provider does not have it")
        }
    }
}
