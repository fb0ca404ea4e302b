// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OpenAI

/// The plugin in front of the emulated server, joined as the host's egress joins them.
struct EmulatedServer {
    static let key = "sk-test-000000"
    let host = TestHost()
    let emulator: OpenAIEmulator
    /// How many streams their reader gave up.
    let closed = Closed()

    final class Closed: Sendable {
        private let state = Mutex(0)
        var count: Int { state.withLock { $0 } }
        func add() { state.withLock { $0 += 1 } }
    }

    /// - Parameter waits: whether a stream that stalls stays open; else it is late at once.
    init(
        _ configuration: String = "{}", wire: OpenAIEmulator.Wire = OpenAIEmulator.Wire(), given: String? = key,
        asksForKey: Bool = true, waits: Bool = false
    ) async throws {
        let emulator = OpenAIEmulator(
            key: asksForKey ? Self.key : nil, chatModels: ["gpt-4o-mini", "big"],
            embeddingModels: ["text-embedding-3-small", "big"], wire: wire)
        self.emulator = emulator
        let secrets = given.map { ["api_key": $0] } ?? [:]
        host.emulate(["https://api.openai.com"], secrets: secrets) { emulator.respond(to: $0) }
        let closed = closed
        host.emulateStreams(["https://api.openai.com"], secrets: secrets, waits: waits, closed: { closed.add() }) {
            emulator.respond(to: $0)
        }
        try await host.install(
            OpenAI.self, manifest: .plugin("Content/OpenAI"), instance: "openai", configuration: configuration)
        host.route("chat", to: "openai", capability: "theatre.content.v1.Chat")
        host.route("embedding", to: "openai", capability: "theatre.content.v1.Embedding")
        for name in ["Image", "Moderation", "Rerank", "Speech", "Transcription", "Video"] {
            host.route(name, to: "openai", capability: "theatre.content.v1.\(name)")
        }
        host.route("provider", to: "openai", capability: "theatre.content.v1.Provider")
    }

    /// A client of the chat, by a profile with these parameters.
    func chat(parameters: String = "") -> ContentChatClient {
        ContentChatClient(host.scope(principal: "usr_1", context: { $0.parameters = parameters }), feature: "chat")
    }

    var embedding: ContentEmbeddingClient {
        ContentEmbeddingClient(host.scope(principal: "usr_1"), feature: "embedding")
    }

    /// A client of what is said of the provider itself.
    var provider: ContentProviderClient { ContentProviderClient(host.scope(principal: "usr_1"), feature: "provider") }

    /// All that it provides.
    var subject: ContentSubject {
        let scope = host.scope(principal: "usr_1")
        var subject = ContentSubject(
            chat: ContentChatClient(scope, feature: "chat"),
            embedding: ContentEmbeddingClient(scope, feature: "embedding"), dimensions: 1536)
        subject.provider = provider
        subject.image = ContentImageClient(scope, feature: "Image")
        subject.moderation = ContentModerationClient(scope, feature: "Moderation")
        subject.rerank = ContentRerankClient(scope, feature: "Rerank")
        subject.speech = ContentSpeechClient(scope, feature: "Speech")
        subject.transcription = ContentTranscriptionClient(scope, feature: "Transcription")
        subject.video = ContentVideoClient(scope, feature: "Video")
        return subject
    }

    /// What a request failed with.
    func failure(_ request: ContentChatRequest) async -> PluginError? {
        do {
            _ = try await chat().complete(request)
            return nil
        } catch { return error as? PluginError }
    }

    /// The parts of a stream and what it failed with.
    func stream(_ request: ContentChatRequest) async -> (parts: [ContentChatPart], error: PluginError?) {
        var parts: [ContentChatPart] = []
        do {
            for try await part in try await chat().stream(request) { parts.append(part) }
            return (parts, nil)
        } catch { return (parts, error as? PluginError) }
    }
}

/// A request with one message.
func asking(_ text: String, _ edit: (inout ContentChatRequest) -> Void = { _ in }) -> ContentChatRequest {
    var request = ContentChatRequest.with {
        $0.messages = [
            .with {
                $0.role = .user
                $0.text = text
            }
        ]
    }
    edit(&request)
    return request
}
