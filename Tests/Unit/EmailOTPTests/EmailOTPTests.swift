// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import EmailOTP
@testable import SQLite

/// The plugin over the real database, with a channel that keeps what it is given.
struct EmailOTPTests {
    let host = TestHost()
    let sent = Sent()

    final class Sent: Sendable {
        private let kept = Mutex([NotificationSendRequest]())

        var requests: [NotificationSendRequest] { kept.withLock { $0 } }
        var codes: [String] {
            requests.compactMap { $0.data.firstMatch(of: #/"code":"([0-9]+)"/#).map { String($0.1) } }
        }
        func keep(_ request: NotificationSendRequest) { kept.withLock { $0.append(request) } }
    }

    private func install(_ settings: String = "{}") async throws {
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("emailotp.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        host.serve(TestKeys(["codes": ["1"], "index": ["1"]]))
        let sent = sent
        host.fake("emailotp.channel", "Send") { (request: NotificationSendRequest, _) -> NotificationDelivery in
            sent.keep(request)
            return NotificationDelivery()
        }
        try await host.install(
            EmailOTP.self, manifest: .plugin("Identity/EmailOTP"), instance: "email", configuration: settings)
        host.route("auth", to: "email")
    }

    private func client(_ tenant: String = "t1") -> AuthProviderClient {
        AuthProviderClient(host.scope(tenant: tenant), feature: "auth")
    }

    @Test(arguments: CodeSuite.cases) func theSuiteHolds(_ rule: SuiteCase<CodeSubject>) async throws {
        try await install()
        try await rule.run(
            CodeSubject(
                identifiers: (" Li@Example.org", "zhang@example.org", "li at example"), client: { client($0) },
                sent: { sent.codes }, advance: { host.advance(milliseconds: $0) }))
    }

    @Test func aCodeProvesTheAddress() async throws {
        try await install()
        let start = try await client().start(.with { $0.identifier = "Li@Example.ORG" })
        let message = try #require(sent.requests.first)
        let code = try #require(sent.codes.first)
        #expect(message.address == "li@example.org" && message.title == "Your code" && message.body.contains(code))
        let answer = try await client().verify(
            .with {
                $0.identifier = "li@example.org"
                $0.challenge = start.challenge
                $0.secret = code
            })
        #expect(answer.subject.hasPrefix("eml_"))
        #expect(answer.claims == ["email": "li@example.org", "email_verified": "true"])
        #expect(host.violations.isEmpty)
    }

    @Test func oneDomainIsNotFlooded() async throws {
        try await install(#"{"per_hour": 2}"#)
        for name in ["a", "b"] { _ = try await client().start(.with { $0.identifier = "\(name)@example.org" }) }
        let error = await #expect(throws: PluginError.self) {
            try await client().start(.with { $0.identifier = "c@example.org" })
        }
        #expect(error?.reason == "auth.throttled")
        _ = try await client().start(.with { $0.identifier = "c@example.net" })
    }
}
