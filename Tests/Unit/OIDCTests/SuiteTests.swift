// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import Testing
import TheatrePlugin
import TheatrePluginTesting

@testable import OIDC

/// What every provider with an authorization server does.
struct SuiteTests {
    @Test(arguments: OAuthSuite.cases) func theSuiteHolds(_ rule: SuiteCase<OAuthSubject>) async throws {
        try await rule.run(EmulatedIssuer().subject)
    }

    @Test(arguments: TokenSigner.Kind.allCases)
    func itHoldsForTheTokensOfEachAlgorithm(_ kind: TokenSigner.Kind) async throws {
        for rule in OAuthSuite.cases where ["flawedIdentityTokensAreRefused", "keysMayRotate"].contains(rule.name) {
            try await rule.run(EmulatedIssuer(kind).subject)
        }
    }
}
