// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin

/// A content provider without a network, of all modalities in a modest form; the same input gives the same bytes.
struct Offline: Plugin, ContentChatContract, ContentEmbeddingContract, ContentImageContract, ContentModerationContract,
    ContentProviderContract, ContentRerankContract, ContentSpeechContract, ContentTranscriptionContract,
    ContentVideoContract
{
    /// All that providers of content can do.
    static var operations: [TheatrePlugin.Operation<Offline>] {
        contentChatOperations + contentEmbeddingOperations + contentImageOperations + contentModerationOperations
            + contentProviderOperations + contentRerankOperations + contentSpeechOperations
            + contentTranscriptionOperations + contentVideoOperations
    }

    let host: PluginHost
    let jobs = VideoJobs()
    let moderator = Moderator()

    init(_ host: PluginHost, _ configuration: OfflineConfiguration) throws { self.host = host }

    /// The same text must give the same vector and an outline with beats.
    func selfTest() async throws {
        let text = "陈七走到桥上。他看见一盏灯。灯下有人道：“陈七，你来迟了。”陈七不答。风把灯吹灭了。"
        guard HashingEmbedder.vector(of: text) == HashingEmbedder.vector(of: text),
            !Outliner.outline(text).beats.isEmpty
        else {
            throw PluginError(
                .internal, "content.self_test", "The models do not hold together; install the plugin again.")
        }
    }

    func complete(_ request: ContentChatRequest, _ call: Call) async throws -> ContentChatResponse {
        let answer = try OfflineChat.answer(request)
        var response = ContentChatResponse()
        response.text = answer.parts.joined()
        response.finishReason = answer.isCut ? .length : .stop
        response.usage = answer.usage
        response.model = OfflineChat.model
        return response
    }

    func stream(_ request: ContentChatRequest, _ call: Call, _ output: MessageSink<ContentChatPart>) async throws {
        let answer = try OfflineChat.answer(request)
        for (index, text) in answer.parts.enumerated() {
            try Task.checkCancellation()
            var part = ContentChatPart()
            part.text = text
            if index == 0 { part.model = OfflineChat.model }
            try await output.send(part)
        }
        var last = ContentChatPart()
        if answer.parts.isEmpty { last.model = OfflineChat.model }
        last.finishReason = answer.isCut ? .length : .stop
        last.usage = answer.usage
        try await output.send(last)
    }

    func embed(_ request: ContentEmbedRequest, _ call: Call) async throws -> ContentEmbedResponse {
        guard (1...256).contains(request.texts.count) else {
            throw OfflineError.countOf("/texts", request.texts.count, 1...256)
        }
        let dimensions = request.dimensions == 0 ? HashingEmbedder.dimensions : Int(request.dimensions)
        guard HashingEmbedder.lengths.contains(dimensions) else {
            throw OfflineError.unsupported("/dimensions", "vectors have 16 to 4096")
        }
        var response = ContentEmbedResponse()
        var tokens = 0
        for (index, text) in request.texts.enumerated() {
            guard text.unicodeScalars.count <= OfflineChat.longestInput else {
                throw OfflineError.tooLong("/texts/\(index)")
            }
            let count = TokenCount.estimate(text)
            guard count <= Self.mostTokens else { throw OfflineError.tooManyTokens("/texts/\(index)", Self.mostTokens) }
            guard let values = HashingEmbedder.vector(of: text, dimensions: dimensions) else {
                throw OfflineError.emptyText("/texts/\(index)")
            }
            tokens += count
            var vector = ContentVector()
            vector.values = values
            response.vectors.append(vector)
        }
        response.usage.inputTokens = Int64(tokens)
        response.usage.estimated = true
        response.model = HashingEmbedder.model(dimensions)
        return response
    }

    /// Most tokens of a text to embed.
    static let mostTokens = 8192
}
