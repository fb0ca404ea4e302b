// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePlugin
import TheatrePluginTesting

/// What every store of blobs does.
struct SuiteTests {
    @Test(arguments: BlobSuite.cases) func theSuiteHolds(_ rule: SuiteCase<BlobSubject>) async throws {
        let bench = try await Bench()
        let host = bench.host
        let subject = BlobSubject { instance, tenant in
            Blobs(host.scope(as: instance, tenant: tenant), feature: "files")
        }
        try await rule.run(subject)
    }
}
