// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Baghdad

/// What every culture pack does.
struct SuiteTests {
    @Test(arguments: CultureSuite.cases) func theSuiteHolds(_ rule: SuiteCase<CultureSubject>) async throws {
        let host = TestHost()
        try await host.install(Baghdad.self, manifest: .plugin("Culture/Baghdad"), instance: "baghdad")
        host.route("culture", to: "baghdad")
        try await rule.run(
            CultureSubject(client: CulturePackClient(host.scope(principal: "usr_1"), feature: "culture")))
    }
}
