// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OIDC

struct OIDCTests {
    @Test func aPersonSignsInWithWhatTheIssuerVouchesFor() async throws {
        let issuer = try await EmulatedIssuer()
        let answer = try await issuer.signIn()
        #expect(answer.subject == OIDC.subject("person-li", of: EmulatedIssuer.issuer))
        #expect(answer.subject.hasSuffix(".person-li"))
        #expect(answer.claims == ["email": "li@example.org", "email_verified": "true", "name": "li"])
        _ = try await issuer.client().remove(.with { $0.subject = answer.subject })
        #expect(issuer.host.violations.isEmpty)
    }

    @Test(arguments: [
        ("client_secret_basic", OIDCEmulator.Client.basic(secret: "s 3:cret")),
        ("client_secret_post", .post(secret: "s 3:cret")), ("private_key_jwt", .signed(EmulatedIssuer.signer)),
        ("none", .open),
    ])
    func theTokenEndpointKnowsUs(_ method: String, _ client: OIDCEmulator.Client) async throws {
        let issuer = try await EmulatedIssuer(client: client, method: method)
        _ = try await issuer.signIn()
        _ = try await issuer.signIn()
    }

    @Test func aWrongSecretIsAFaultOfTheConfiguration() async throws {
        let issuer = try await EmulatedIssuer(client: .basic(secret: "another"))
        let error = await #expect(throws: PluginError.self) { try await issuer.signIn() }
        #expect(error?.reason == "auth.misconfigured" && error?.code == .failedPrecondition)
    }

    @Test func whatTheIssuerDoesNotAnswerIsNoRefusal() async throws {
        let issuer = try await EmulatedIssuer()
        for fault in [OIDCEmulator.Fault.cut, .status(502, "<html>"), .status(503, "")] {
            let request = try await issuer.request()
            issuer.emulator.script(fault)
            let error = await #expect(throws: PluginError.self) { try await issuer.client().verify(request) }
            #expect(error?.reason == "auth.unreachable" && error?.retry == .never)
        }
        let request = try await issuer.request()
        issuer.emulator.script(.status(429, ""))
        let error = await #expect(throws: PluginError.self) { try await issuer.client().verify(request) }
        #expect(error?.reason == "auth.throttled")
        _ = try await issuer.signIn()
    }

    @Test func documentsAreFetchedOnceAndKeysNotOftenForStrangers() async throws {
        let issuer = try await EmulatedIssuer()
        for _ in 0..<3 { _ = try await issuer.signIn() }
        #expect(issuer.emulator.requests("/.well-known/openid-configuration") == 1)
        #expect(issuer.emulator.requests("/keys") == 1)
        // Tokens of a device are whatever somebody sends: unknown keys do not make us ask each time.
        let stranger = TokenSigner(.es256, id: "unknown")
        for _ in 0..<5 {
            let start = try await issuer.client().start(AuthStartRequest())
            let token = try stranger.token(["iss": EmulatedIssuer.issuer, "sub": "x"])
            await #expect(throws: PluginError.self) {
                try await issuer.client().verify(
                    .with {
                        $0.challenge = start.challenge
                        $0.identityToken = token
                    })
            }
        }
        #expect(issuer.emulator.requests("/keys") <= 2)
        issuer.host.advance(milliseconds: 3_700_000)
        _ = try await issuer.signIn()
        #expect(issuer.emulator.requests("/.well-known/openid-configuration") == 2)
    }

    @Test func aDeviceMayBringAnIdentityTokenOfItsOwnSignIn() async throws {
        let issuer = try await EmulatedIssuer()
        func answer(_ audience: String, _ nonce: String?) async throws -> AuthVerifyResponse {
            let start = try await issuer.client().start(AuthStartRequest())
            #expect(start.authorizeURL.isEmpty)
            let token = try issuer.emulator.identityToken(
                for: "li", audience: audience, nonce: nonce ?? start.nonce)
            return try await issuer.client().verify(
                .with {
                    $0.challenge = start.challenge
                    $0.identityToken = token
                })
        }
        #expect(try await answer("theatre-app", nil).subject == issuer.signIn().subject)
        await #expect(throws: PluginError.self) { try await answer("another-app", nil) }
        await #expect(throws: PluginError.self) { try await answer("theatre-app", "another nonce") }
    }

    @Test func aTokenDoesNotStandInForTheCodeOfARedirect() async throws {
        let issuer = try await EmulatedIssuer()
        let start = try await issuer.client().start(.with { $0.redirectUri = EmulatedIssuer.redirect })
        let token = try issuer.emulator.identityToken(for: "li", audience: "theatre", nonce: start.nonce)
        let error = await #expect(throws: PluginError.self) {
            try await issuer.client().verify(
                .with {
                    $0.challenge = start.challenge
                    $0.identityToken = token
                })
        }
        #expect(error?.reason == "auth.refused")
    }

    @Test func anAlgorithmThatIsNotConfiguredDoesNotCount() async throws {
        let issuer = try await EmulatedIssuer(.edDSA, settings: #", "algorithms": ["ES256", "RS256"]"#)
        let error = await #expect(throws: PluginError.self) { try await issuer.signIn() }
        #expect(error?.reason == "auth.refused")
    }

    @Test func theDocumentOfAnotherIssuerIsNotTaken() async throws {
        let issuer = try await EmulatedIssuer(emulated: "https://id.example.org/")
        let error = await #expect(throws: PluginError.self) { try await issuer.signIn() }
        #expect(error?.reason == "auth.misconfigured")
    }

    @Test func plainHTTPIsForDevelopment() async throws {
        let production = TestHost(environment: .with { $0.development = false })
        let error = await #expect(throws: PluginError.self) {
            try await production.install(
                OIDC.self, manifest: .plugin("Identity/OIDC"), instance: "oidc",
                configuration: #"{"issuer": "http://id.example.org", "client_id": "theatre"}"#)
        }
        #expect(error?.reason == "auth.plain_issuer" && error?.detail == "/issuer")
    }

    @Test func subjectsOfTwoIssuersAreNeverOne() {
        #expect(OIDC.subject("1", of: "https://a.example") != OIDC.subject("1", of: "https://b.example"))
    }
}
