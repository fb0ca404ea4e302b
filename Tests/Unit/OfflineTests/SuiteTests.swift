// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Offline

/// What every provider of content does.
struct SuiteTests {
    @Test(arguments: ContentSuite.cases) func theSuiteHolds(_ rule: SuiteCase<ContentSubject>) async throws {
        let world = try await OfflineWorld()
        var subject = ContentSubject(
            chat: ContentChatClient(world.scope, feature: "content"),
            embedding: ContentEmbeddingClient(world.scope, feature: "content"), dimensions: 256)
        subject.image = world.image
        subject.moderation = world.moderation
        subject.provider = world.provider
        subject.rerank = world.rerank
        subject.speech = world.speech
        subject.transcription = world.transcription
        subject.video = world.video
        try await rule.run(subject)
    }
}

/// The plugin, with clients of all that it provides.
struct OfflineWorld {
    let host = TestHost()
    let scope: TestScope

    init() async throws {
        try await host.install(Offline.self, manifest: .plugin("Content/Offline"), instance: "offline")
        host.route("content", to: "offline")
        for name in ["Image", "Moderation", "Provider", "Rerank", "Speech", "Transcription", "Video"] {
            host.route(name, to: "offline", capability: "theatre.content.v1.\(name)")
        }
        scope = host.scope(principal: "usr_1")
    }

    var image: ContentImageClient { ContentImageClient(scope, feature: "Image") }
    var moderation: ContentModerationClient { ContentModerationClient(scope, feature: "Moderation") }
    var provider: ContentProviderClient { ContentProviderClient(scope, feature: "Provider") }
    var rerank: ContentRerankClient { ContentRerankClient(scope, feature: "Rerank") }
    var speech: ContentSpeechClient { ContentSpeechClient(scope, feature: "Speech") }
    var transcription: ContentTranscriptionClient { ContentTranscriptionClient(scope, feature: "Transcription") }
    var video: ContentVideoClient { ContentVideoClient(scope, feature: "Video") }
}

/// The bytes of what was made.
func bytes(_ stream: MessageStream<ContentMediaPart>) async throws -> (bytes: [UInt8], head: ContentMediaHead) {
    var (bytes, head) = ([UInt8](), ContentMediaHead())
    for try await part in stream {
        if case .head(let found) = part.part { head = found }
        if case .data(let data) = part.part { bytes += data }
    }
    return (bytes, head)
}
