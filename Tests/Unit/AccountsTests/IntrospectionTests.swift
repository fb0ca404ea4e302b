// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Accounts

/// What services are told of tokens, RFC 7662, and how they prove who they are, RFC 6749 section 2.3.1.
struct IntrospectionTests {
    private struct Found: Decodable {
        var active: Bool
        var sub: String?
        var scope: String?
        var clientId: String?
        var tokenType: String?
        var exp: Int64?
        var sid: String?
        var jti: String?
    }

    private var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    private func client(
        _ fixture: AccountsFixture, _ name: String = "judge", _ scopes: [String] = ["token:introspect"]
    ) async throws -> String {
        try await fixture.credentials("usr_admin").createClient(
            .with {
                $0.name = name
                $0.scopes = scopes
            }
        ).clientSecret
    }

    private func ask(_ fixture: AccountsFixture, _ token: String, _ secret: String) async throws -> Found {
        let answer = try await fixture.post(
            "/oauth/introspect", "client_id=svc%3Ajudge&client_secret=\(secret)&token=\(token)")
        #expect(answer.status == 200, "\(answer.body)")
        let found = try decoder.decode(Found.self, from: Data(answer.body.utf8))
        // Of a token that does not count nothing is told.
        #expect(found.active || answer.body == #"{"active":false}"#)
        return found
    }

    @Test func anAccessTokenCountsForAsLongAsItsSessionDoes() async throws {
        let fixture = try await AccountsFixture()
        let secret = try await client(fixture)
        let session = try await fixture.register()
        let found = try await ask(fixture, session.accessToken, secret)
        #expect(found.active && found.sub == session.account.id && found.tokenType == "Bearer")
        #expect(try found.sid == fixture.session(of: session))
        #expect(found.exp == fixture.host.now / 1000 + 900 && found.scope == nil)
        // Rotated, it counts on.
        fixture.versions.rotate("session", to: "newest")
        #expect(try await ask(fixture, session.accessToken, secret).active)
        let other = try await fixture.login()
        _ = try await fixture.client(principal: session.account.id, session: found.sid ?? "").logout(.init())
        #expect(try await !ask(fixture, session.accessToken, secret).active)
        #expect(try await ask(fixture, other.accessToken, secret).active)
        fixture.host.advance(milliseconds: 900_000)
        #expect(try await !ask(fixture, other.accessToken, secret).active)
        #expect(fixture.host.violations.isEmpty)
    }

    @Test func forgedTokensAreNoTokens() async throws {
        let fixture = try await AccountsFixture()
        let secret = try await client(fixture)
        let token = try await fixture.register().accessToken
        let parts = token.split(separator: ".").map(String.init)
        let header = { (text: String) in "\(Base64URL.encode(text.utf8)).\(parts[1]).\(parts[2])" }
        let claims = String(decoding: try #require(Base64URL.decode(parts[1])), as: UTF8.self)
        let another = Base64URL.encode(claims.replacing("usr_", with: "usr_x").utf8)
        for forged in [
            header(#"{"alg":"none","kid":"new","typ":"at+jwt"}"#),
            header(#"{"alg":"ES256","kid":"new","typ":"at+jwt"}"#),
            header(#"{"alg":"EdDSA","kid":"none","typ":"at+jwt"}"#),
            header(#"{"alg":"EdDSA","kid":"old","typ":"at+jwt"}"#),
            header(#"{"alg":"EdDSA","kid":"new","typ":"JWT"}"#), "\(parts[0]).\(another).\(parts[2])",
            "\(parts[0]).\(parts[1]).", "a.b.c", "..", "x", "thk_unknown", String(repeating: "A", count: 43),
        ] {
            #expect(try await !ask(fixture, forged, secret).active, "\(forged)")
        }
        fixture.versions.retire("session", "new")
        #expect(try await !ask(fixture, token, secret).active)
    }

    @Test func refreshTokensAndKeysCountUntilTheyAreUsedUpOrTakenBack() async throws {
        let fixture = try await AccountsFixture()
        let secret = try await client(fixture)
        let first = try await fixture.register()
        let account = first.account.id
        let found = try await ask(fixture, first.refreshToken, secret)
        #expect(found.active && found.sub == account && found.tokenType == "refresh_token")
        #expect(found.exp == fixture.host.now / 1000 + 7 * 86_400)
        let second = try await fixture.refresh(first.refreshToken)
        #expect(try await !ask(fixture, first.refreshToken, secret).active)
        #expect(try await ask(fixture, second.refreshToken, secret).active)
        let key = try await fixture.credentials(account).createKey(
            .with {
                $0.name = "nightly"
                $0.scopes = ["run:start", "project:*"]
                $0.expiresAt = fixture.host.now + 86_400_000
            })
        let told = try await ask(fixture, key.key, secret)
        #expect(told.active && told.sub == account && told.scope == "project:* run:start" && told.jti == key.id)
        _ = try await fixture.bans().banUser(
            .with {
                $0.userID = account
                $0.reason = "shouts"
            })
        for token in [second.refreshToken, second.accessToken, key.key] {
            #expect(try await !ask(fixture, token, secret).active)
        }
    }

    @Test func aServicesTokenCountsUntilItsServiceIsEnded() async throws {
        let fixture = try await AccountsFixture()
        let secret = try await client(fixture)
        let other = try await client(fixture, "farm", ["run:read", "run:start"])
        let answer = try await fixture.post(
            "/oauth/token", "grant_type=client_credentials&scope=run:read",
            headers: [("authorization", "Basic \(Data("svc%3Afarm:\(other)".utf8).base64EncodedString())")])
        struct Token: Decodable { var accessToken: String }
        let token = try decoder.decode(Token.self, from: Data(answer.body.utf8)).accessToken
        let found = try await ask(fixture, token, secret)
        #expect(found.active && found.sub == "svc:farm" && found.clientId == "svc:farm" && found.scope == "run:read")
        _ = try await fixture.credentials("usr_admin").revokeClient(.with { $0.clientID = "svc:farm" })
        #expect(try await !ask(fixture, token, secret).active)
        // Another service of the name is another.
        _ = try await client(fixture, "farm", ["run:read"])
        #expect(try await !ask(fixture, token, secret).active)
    }

    @Test func onlyAServiceThatMayAsksAndItSaysInOneWayWhoItIs() async throws {
        let fixture = try await AccountsFixture()
        let secret = try await client(fixture)
        let farm = try await client(fixture, "farm", ["run:read"])
        let token = try await fixture.register().accessToken
        func basic(_ text: String, scheme: String = "Basic") -> [(String, String)] {
            [("authorization", "\(scheme) \(Data(text.utf8).base64EncodedString())")]
        }
        let form = "token=\(token)"
        for (headers, more, status, said) in [
            (basic("svc%3Ajudge:\(secret)"), "", 200 as UInt32, "\"active\":true"),
            (basic("svc:judge:\(secret)", scheme: "basic"), "", 200, "\"active\":true"),
            ([], "", 401, "invalid_client"), (basic("svc%3Ajudge:\(secret)x"), "", 401, "invalid_client"),
            (basic("svc%3Anobody:\(secret)"), "", 401, "invalid_client"),
            (basic("svc%3Ajudge"), "", 401, "invalid_client"),
            ([("authorization", "Basic !")], "", 401, "invalid_client"),
            ([], "&client_id=svc%3Ajudge", 401, "invalid_client"),
            ([], "&client_id=svc%3Ajudge&client_secret=\(farm)", 401, "invalid_client"),
            (basic("svc%3Ajudge:\(secret)"), "&client_secret=\(secret)", 400, "invalid_request"),
            (basic("svc%3Afarm:\(farm)"), "", 403, "insufficient_scope"),
        ] {
            let answer = try await fixture.post("/oauth/introspect", form + more, headers: headers)
            #expect(answer.status == status && answer.body.contains(said), "\(headers) \(more): \(answer)")
        }
        let nothing = try await fixture.post("/oauth/introspect", "x=y", headers: basic("svc%3Ajudge:\(secret)"))
        #expect(nothing == (400, #"{"error":"invalid_request"}"#))
        // Who says who he is proves it, also where nobody has to.
        let revoked = try await fixture.post("/oauth/revoke", form, headers: basic("svc%3Ajudge:no"))
        #expect(revoked.status == 401)
    }

    @Test func theDiscoveryDocumentLeadsThere() async throws {
        let fixture = try await AccountsFixture()
        let response = try await HTTPHandlerClient(fixture.host.scope(), feature: "accounts").handle(
            .with {
                $0.method = "GET"
                $0.route = "/.well-known/openid-configuration"
            })
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(text.contains("/oauth/introspect\""))
        #expect(
            text.contains(
                #""introspection_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"]"#))
        #expect(
            text.contains(
                #""token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"]"#))
    }
}
