// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Bianjing

/// What every culture pack does.
struct SuiteTests {
    @Test(arguments: CultureSuite.cases) func theSuiteHolds(_ rule: SuiteCase<CultureSubject>) async throws {
        let host = TestHost()
        try await host.install(Bianjing.self, manifest: .plugin("Culture/Bianjing"), instance: "bianjing")
        host.route("culture", to: "bianjing")
        try await rule.run(
            CultureSubject(client: CulturePackClient(host.scope(principal: "usr_1"), feature: "culture")))
    }
}
