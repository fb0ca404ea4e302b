// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Password
@testable import SQLite

/// What every provider of stored credentials does.
struct SuiteTests {
    @Test(arguments: AuthSuite.cases) func theSuiteHolds(_ rule: SuiteCase<AuthSubject>) async throws {
        let host = TestHost()
        PasswordPluginTests.serveKeys(host)
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("password.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        try await host.install(
            Password.self, manifest: .plugin("Identity/Password"), instance: "password",
            configuration: PasswordPluginTests.fast)
        host.route("auth", to: "password")
        try await rule.run(
            AuthSubject { tenant in AuthProviderClient(host.scope(tenant: tenant), feature: "auth") })
    }
}
