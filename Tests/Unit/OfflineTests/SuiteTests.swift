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
        let host = TestHost()
        try await host.install(Offline.self, manifest: .plugin("Content/Offline"), instance: "offline")
        host.route("content", to: "offline")
        let scope = host.scope(principal: "usr_1")
        try await rule.run(
            ContentSubject(
                chat: ContentChatClient(scope, feature: "content"),
                embedding: ContentEmbeddingClient(scope, feature: "content")))
    }
}
