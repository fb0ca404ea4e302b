// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePluginTesting

@testable import OpenAI

/// What every provider of content does.
struct SuiteTests {
    @Test(arguments: ContentSuite.cases) func theSuiteHolds(_ rule: SuiteCase<ContentSubject>) async throws {
        let server = try await EmulatedServer()
        try await rule.run(server.subject)
        #expect(server.host.violations.isEmpty)
    }
}
