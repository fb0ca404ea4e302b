// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Anthropic

/// What every provider of content does.
struct SuiteTests {
    @Test(arguments: ContentSuite.cases) func theSuiteHolds(_ rule: SuiteCase<ContentSubject>) async throws {
        let server = try await EmulatedServer()
        let scope = server.host.scope(principal: "usr_1")
        var subject = ContentSubject(chat: ContentChatClient(scope, feature: "chat"), embedding: nil)
        subject.provider = server.provider
        try await rule.run(subject)
    }
}
