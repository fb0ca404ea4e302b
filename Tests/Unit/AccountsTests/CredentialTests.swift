// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

struct CredentialTests {
    private func key(
        _ fixture: AccountsFixture, _ account: String, _ scopes: [String] = ["project:read"], days: Int64 = 1
    )
        async throws -> AccountsApiKey
    {
        try await fixture.credentials(account).createKey(
            .with {
                $0.name = "nightly"
                $0.scopes = scopes
                $0.expiresAt = fixture.host.now + days * 86_400_000
            })
    }

    private var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    private func resolve(_ fixture: AccountsFixture, _ key: String) async throws -> AccountsKeyHolder {
        try await fixture.keys().resolveKey(.with { $0.key = key })
    }

    @Test func aKeySpeaksForItsPersonWithItsScopesUntilItEnds() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        let made = try await key(fixture, account, ["run:start", "project:*", "run:start"])
        #expect(made.key.hasPrefix("thk_") && made.key.utf8.count == 47 && made.scopes == ["project:*", "run:start"])
        let holder = try await resolve(fixture, made.key)
        #expect(holder.principal == account && holder.keyID == made.id && holder.scopes == made.scopes)
        #expect(holder.expiresAt == made.expiresAt && holder.roles == ["user"] && holder.tenant == "default")
        let listed = try await fixture.credentials(account).listKeys(AccountsListKeysRequest()).items
        #expect(listed.map(\.id) == [made.id] && listed.allSatisfy { $0.key.isEmpty })
        let stored = try #require(try await fixture.rows("/* tenants: all */ SELECT hash FROM {keys}").first)
        #expect(try Array(stored.blob("hash")) == KeyStore.hash(made.key))
        fixture.host.advance(milliseconds: 86_400_000)
        #expect(await fixture.failure { try await resolve(fixture, made.key) }?.reason == "accounts.key_refused")
        #expect(try await fixture.credentials(account).listKeys(AccountsListKeysRequest()).items.isEmpty)
    }

    @Test func aKeyThatWasRevokedIsToldOfAndCountsNoMore() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        let made = try await key(fixture, account)
        let stranger = await fixture.failure {
            try await fixture.credentials("usr_other").revokeKey(.with { $0.keyID = made.id })
        }
        #expect(stranger?.reason == "accounts.no_such_key")
        _ = try await fixture.credentials(account).revokeKey(.with { $0.keyID = made.id })
        #expect(try await fixture.events("session.revoked").map(\.aggregate) == [made.id])
        #expect(await fixture.failure { try await resolve(fixture, made.key) }?.code == .unauthenticated)
        let other = try await key(fixture, account)
        _ = try await fixture.bans().banUser(
            .with {
                $0.userID = account
                $0.reason = "leaked keys"
            })
        #expect(await fixture.failure { try await resolve(fixture, other.key) }?.reason == "accounts.key_refused")
        #expect(fixture.host.violations.isEmpty)
    }

    @Test(arguments: [[], ["project"], ["project:"], ["Project:read"], ["a:b:c"], [" "], ["**"]])
    func whatIsNoScopeIsRefused(_ scopes: [String]) async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        let error = await fixture.failure { try await key(fixture, account, scopes) }
        #expect(error?.code == .invalidArgument && error?.detail == "/scopes")
    }

    @Test func aKeyEndsWithinAYearAndMakesNoOther() async throws {
        let fixture = try await AccountsFixture()
        let account = try await fixture.register().account.id
        #expect(await fixture.failure { try await key(fixture, account, days: 367) }?.detail == "/expires_at")
        #expect(await fixture.failure { try await key(fixture, account, days: 0) }?.detail == "/expires_at")
        let byKey = await fixture.failure {
            try await fixture.credentials(account, session: "key_1").createKey(
                .with {
                    $0.name = "more"
                    $0.scopes = ["*"]
                    $0.expiresAt = fixture.host.now + 1000
                })
        }
        #expect(byKey?.code == .permissionDenied && byKey?.reason == "accounts.by_key")
    }

    @Test func aServiceGetsTokensWithinItsScopes() async throws {
        let fixture = try await AccountsFixture()
        let client = try await fixture.credentials("usr_admin").createClient(
            .with {
                $0.name = "render-farm"
                $0.scopes = ["run:read", "run:write"]
            })
        #expect(client.clientID == "svc:render-farm" && client.clientSecret.hasPrefix("ths_"))
        let form = "grant_type=client_credentials&client_id=svc%3Arender-farm&client_secret=\(client.clientSecret)"
        let answer = try await fixture.post("/oauth/token", form + "&scope=run:read")
        struct Token: Decodable {
            var accessToken: String
            var tokenType: String
            var expiresIn: Int
            var scope: String?
            var refreshToken: String?
        }
        let token = try decoder.decode(Token.self, from: Data(answer.body.utf8))
        #expect(answer.status == 200 && token.tokenType == "Bearer" && token.scope == "run:read")
        #expect(token.refreshToken == nil && token.expiresIn == 900)
        let claims = try fixture.part(1, of: token.accessToken)
        #expect(claims["sub"] == "svc:render-farm" && claims["client_id"] == "svc:render-farm")
        #expect(claims["scope"] == "run:read" && claims["sid"]?.hasPrefix("cli_") == true)
        #expect(
            try await fixture.post("/oauth/token", form + "&scope=bank:empty") == (400, #"{"error":"invalid_scope"}"#))
        #expect(try await fixture.post("/oauth/token", form + "x") == (401, #"{"error":"invalid_client"}"#))
        let taken = await fixture.failure {
            try await fixture.credentials("usr_admin").createClient(
                .with {
                    $0.name = "render-farm"
                    $0.scopes = ["*"]
                })
        }
        #expect(taken?.reason == "accounts.client_exists")
        _ = try await fixture.credentials("usr_admin").revokeClient(.with { $0.clientID = client.clientID })
        #expect(try await fixture.events("session.revoked").map(\.aggregate) == [claims["sid"]])
        #expect(try await fixture.post("/oauth/token", form).body == #"{"error":"invalid_client"}"#)
        #expect(try await fixture.credentials("usr_admin").listClients(AccountsListClientsRequest()).items.isEmpty)
    }

    @Test func aRefreshTokenIsTradedAndRevokedByForm() async throws {
        let fixture = try await AccountsFixture()
        let session = try await fixture.register()
        let answer = try await fixture.post(
            "/oauth/token", "grant_type=refresh_token&refresh_token=\(session.refreshToken)")
        struct Token: Decodable { var refreshToken: String }
        let next = try decoder.decode(Token.self, from: Data(answer.body.utf8)).refreshToken
        #expect(answer.status == 200 && next != session.refreshToken)
        #expect(try await fixture.post("/oauth/revoke", "token=\(next)").status == 200)
        #expect(
            try await fixture.post("/oauth/token", "grant_type=refresh_token&refresh_token=\(next)")
                == (400, #"{"error":"invalid_grant"}"#))
        let account = session.account.id
        let made = try await key(fixture, account)
        #expect(try await fixture.post("/oauth/revoke", "token=\(made.key)").status == 200)
        #expect(await fixture.failure { try await resolve(fixture, made.key) }?.reason == "accounts.key_refused")
        #expect(try await fixture.post("/oauth/revoke", "token=never+given").status == 200)
    }

    @Test(arguments: [
        ("grant_type=password", "unsupported_grant_type"), ("", "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=%zz", "invalid_request"), ("grant_type=refresh_token", "invalid_grant"),
    ]) func whatIsNoRequestForATokenIsNamed(_ form: String, _ error: String) async throws {
        let fixture = try await AccountsFixture()
        #expect(try await fixture.post("/oauth/token", form) == (400, #"{"error":"\#(error)"}"#))
        let json = try await fixture.post("/oauth/token", "{}", type: "application/json")
        #expect(json == (400, #"{"error":"invalid_request"}"#))
    }
}
