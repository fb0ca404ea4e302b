// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

/// What an account has of a version of a key goes on working when the key is rotated.
struct KeyVersionTests {
    private func code(_ fixture: AccountsFixture, _ account: String, by version: String) async throws -> String {
        let row = try #require(
            try await fixture.rows("/* tenants: all */ SELECT seed FROM {factors} WHERE account = '\(account)'").first)
        let data = "theatre.totp.v1\ndefault\n\(account)\n\(try row.text("seed"))"
        let secret = Array(TestKeys.mac("mfa", version, data.utf8).prefix(20))
        return TOTP.code(secret, fixture.host.now / 1000 / 30)
    }

    private func enrol(_ fixture: AccountsFixture, _ email: String, by version: String) async throws
        -> (account: String, recovery: [String])
    {
        let account = try await fixture.register(email).account.id
        _ = try await fixture.factor(account).enrollFactor(AccountsEnrollFactorRequest())
        let first = try await code(fixture, account, by: version)
        let recovery = try await fixture.factor(account).confirmFactor(.with { $0.code = first }).codes
        fixture.host.advance(milliseconds: 30_000)
        return (account, recovery)
    }

    private func complete(_ fixture: AccountsFixture, _ email: String, _ code: String) async throws -> AccountsSession {
        let challenge = try await fixture.login(email).mfaChallenge
        return try await fixture.factor().completeSignIn(
            .with {
                $0.challenge = challenge
                $0.code = code
            })
    }

    @Test func aSecondFactorOutlivesARotation() async throws {
        let fixture = try await AccountsFixture()
        let (old, recovery) = try await enrol(fixture, "old@example.org", by: "1")
        fixture.versions.rotate("mfa", to: "2")
        let (new, _) = try await enrol(fixture, "new@example.org", by: "2")
        for (email, account, version, wrong) in [
            ("old@example.org", old, "1", "2"), ("new@example.org", new, "2", "1"),
        ] {
            let other = try await code(fixture, account, by: wrong)
            #expect(
                await fixture.failure { try await complete(fixture, email, other) }?.reason == "accounts.code_refused")
            let right = try await code(fixture, account, by: version)
            #expect(try await complete(fixture, email, right).account.id == account)
            fixture.host.advance(milliseconds: 30_000)
        }
        // A version that is gone leaves the recovery codes.
        fixture.versions.retire("mfa", "1")
        let late = try await code(fixture, old, by: "1")
        #expect(
            await fixture.failure { try await complete(fixture, "old@example.org", late) }?.reason
                == "accounts.code_refused")
        #expect(try await complete(fixture, "old@example.org", recovery[0]).account.id == old)
        #expect(fixture.host.violations.isEmpty)
    }

    @Test func anEnrolmentOfBeforeVersionsWereKeptIsGivenItsVersion() async throws {
        let fixture = try await AccountsFixture()
        let (account, _) = try await enrol(fixture, "li@example.org", by: "1")
        try await fixture.change("/* tenants: all */ UPDATE {factors} SET key_version = ''", expect: 1)
        _ = try await complete(fixture, "li@example.org", try await code(fixture, account, by: "1"))
        fixture.versions.rotate("mfa", to: "2")
        fixture.host.advance(milliseconds: 30_000)
        _ = try await complete(fixture, "li@example.org", try await code(fixture, account, by: "1"))
    }

    @Test func aRefreshAroundARotationHasOneSuccessor() async throws {
        let fixture = try await AccountsFixture()
        let first = try await fixture.register()
        let second = try await fixture.refresh(first.refreshToken)
        fixture.versions.rotate("refresh", to: "2")
        // The answer was lost, and the key rotated before it was asked for again.
        #expect(try await fixture.refresh(first.refreshToken).refreshToken == second.refreshToken)
        let third = try await fixture.refresh(second.refreshToken)
        #expect(try await fixture.refresh(second.refreshToken).refreshToken == third.refreshToken)
        let successors = try await withThrowingTaskGroup(of: String.self) { group in
            for index in 0..<16 {
                group.addTask {
                    if index == 8 { fixture.versions.rotate("refresh", to: "3") }
                    return try await fixture.refresh(third.refreshToken).refreshToken
                }
            }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(successors.count == 16 && Set(successors).count == 1)
        #expect(try await fixture.events("session.revoked").isEmpty)
        // Where the version is gone nobody is answered, and nobody is taken for a thief.
        let fourth = try await fixture.refresh(successors[0])
        fixture.versions.rotate("refresh", to: "4")
        for version in ["1", "2", "3"] { fixture.versions.retire("refresh", version) }
        #expect(await fixture.failure { try await fixture.refresh(successors[0]) }?.code == .notFound)
        _ = try await fixture.refresh(fourth.refreshToken)
    }

    /// Versions of `session` go once their tokens have lapsed; a receipt is in hand for years.
    @Test func aReceiptOutlivesTheKeyOfTokens() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        let wish = try await fixture.privacy(account).requestErasure(AccountsRequestErasureRequest())
        fixture.host.advance(milliseconds: 7 * 86_400_000)
        #expect(try await fixture.host.runJobs().map(\.state) == [.done])
        let receipt = try await fixture.privacy().getErasure(.with { $0.erasureID = wish.id }).receipt
        fixture.versions.rotate("session", to: "newest")
        for version in ["old", "new"] { fixture.versions.retire("session", version) }
        fixture.versions.rotate("receipt", to: "receipt-2")

        let kid = try #require(try fixture.part(0, of: receipt)["kid"])
        let set = try await HTTPHandlerClient(fixture.host.scope(), feature: "accounts").handle(
            .with {
                $0.method = "GET"
                $0.route = "/.well-known/jwks.json"
            })
        #expect(String(decoding: set.body, as: UTF8.self).contains(#""kid":"\#(kid)""#))
        let parts = receipt.split(separator: ".")
        let mac = TestKeys.mac("receipt", kid, "\(parts[0]).\(parts[1])".utf8)
        #expect(parts[2] == Base64URL.encode(mac + mac))
    }

    @Test func tokensAreSignedByTheVersionWhoseTimeHasCome() async throws {
        let fixture = try await AccountsFixture()
        fixture.versions.rotate("session", to: "newest", signsFrom: fixture.host.now + 600_000)
        let before = try await fixture.register()
        #expect(try fixture.part(0, of: before.accessToken)["kid"] == "new")
        fixture.host.advance(milliseconds: 600_000)
        #expect(try await fixture.part(0, of: fixture.login().accessToken)["kid"] == "newest")
    }
}
