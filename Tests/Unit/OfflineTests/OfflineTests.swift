// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Offline

/// The plugin as its callers see it.
struct OfflineTests {
    private func chat() async throws -> ContentChatClient {
        let host = TestHost()
        try await host.install(Offline.self, manifest: .plugin("Content/Offline"), instance: "offline")
        host.route("content.chat", to: "offline")
        return ContentChatClient(host.scope(principal: "usr_1"), feature: "content.chat")
    }

    private func request(_ texts: [String], task: String = "") -> ContentChatRequest {
        var request = ContentChatRequest()
        request.task = task
        request.messages = texts.map { text in
            var message = ContentChatMessage()
            message.role = .user
            message.text = text
            return message
        }
        return request
    }

    @Test func anOutlineIsJSONOfTheContract() async throws {
        let client = try await chat()
        let response = try await client.complete(request([try Samples.chapter()], task: "outline"))
        let outline = try ContentOutline(jsonString: response.text)
        #expect((5...14).contains(outline.beats.count))
        #expect(outline.characters.contains { $0.name == "柳青娘" && $0.count > 20 })
        #expect(response.finishReason == .stop)
        #expect(response.usage.estimated)
        #expect(response.usage.inputTokens > 6_000)
        #expect(response.model == "offline-extractive-1")
    }

    @Test func aStreamIsTheSameTextInParts() async throws {
        let client = try await chat()
        let request = request([try Samples.chapter(), "樊楼的影戏是谁点的？"])
        let whole = try await client.complete(request)
        var text = ""
        var parts = 0
        var last = ContentChatPart()
        for try await part in try await client.stream(request) {
            text += part.text
            parts += 1
            if parts == 1 { #expect(part.model == "offline-extractive-1") }
            last = part
        }
        #expect(text == whole.text)
        #expect(parts > 2)
        #expect(last.finishReason == .stop)
        #expect(last.usage == whole.usage)
        #expect(text.contains("影戏"))
    }

    @Test func maxTokensEndsAnAnswer() async throws {
        let client = try await chat()
        var request = request([try Samples.chapter(), "柳青娘在樊楼看见了什么？"])
        request.maxTokens = 30
        let response = try await client.complete(request)
        #expect(response.finishReason == .length)
        #expect(response.usage.outputTokens <= 30)
    }

    @Test func aTaskItDoesNotKnowIsRefused() async throws {
        let client = try await chat()
        var request = request(["写一首诗"], task: "poem")
        request.responseSchema = "{}"
        await expect("content.task_unsupported") { try await client.complete(request) }
        request.task = ""
        let schema = request
        await expect("content.task_unsupported") { try await client.complete(schema) }
    }

    @Test func tooLongAnInputIsRefused() async throws {
        let client = try await chat()
        let request = request([String(repeating: "长", count: 200_001)], task: "outline")
        await expect("content.too_long") { try await client.complete(request) }
    }

    @Test func emptyTextHasNoVector() async throws {
        let host = TestHost()
        try await host.install(Offline.self, manifest: .plugin("Content/Offline"), instance: "offline")
        host.route("content.embedding", to: "offline")
        let client = ContentEmbeddingClient(host.scope(principal: "usr_1"), feature: "content.embedding")
        var request = ContentEmbedRequest()
        request.texts = ["灯", "影"]
        let response = try await client.embed(request)
        #expect(response.vectors.map(\.values.count) == [256, 256])
        request.texts = ["灯", " "]
        let empty = request
        await expect("content.empty_text") { try await client.embed(empty) }
    }

    private func expect<T>(_ reason: String, _ call: () async throws -> T) async {
        do {
            _ = try await call()
            Issue.record("\(reason) was expected.")
        } catch let error as PluginError {
            #expect(error.reason == reason)
            #expect(error.code == .invalidArgument)
        } catch {
            Issue.record(error)
        }
    }
}
