// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePluginTesting

@testable import PhoneOTP

/// What every provider of one-time codes does.
struct SuiteTests {
    @Test(arguments: CodeSuite.cases) func theSuiteHolds(_ rule: SuiteCase<CodeSubject>) async throws {
        let phone = try await EmulatedTelephone()
        try await rule.run(
            CodeSubject(
                identifiers: ("+86 138 0013 8000", "13900139000", "thirteen eight"), client: { phone.client($0) },
                sent: { phone.sent.codes }, advance: { phone.host.advance(milliseconds: $0) }))
    }
}
