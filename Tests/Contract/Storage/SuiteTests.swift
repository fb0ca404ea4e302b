// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePlugin
import TheatrePluginTesting

/// What every SQL database does, as a stranger's provider is tested.
@Suite(.closing) struct SuiteTests {
    @Test(arguments: SQLSuite.cases, Engine.allCases)
    func theSuiteHolds(_ rule: SuiteCase<SQLSubject>, _ engine: Engine) async throws {
        let storage = try await Storage(engine)
        let host = storage.host
        let subject = SQLSubject { instance, tenant in
            Database(host.scope(as: instance, principal: "usr_1", tenant: tenant), feature: "storage")
        }
        try await rule.run(subject)
    }
}
