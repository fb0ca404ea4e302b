// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import JWTKit
import Testing

@testable import Gateway

@Suite struct AccessTests {
    struct Claims: JWTPayload {
        var iss = "theatre"
        var sub = "usr_1"
        var aud: [String] = ["api"]
        var exp = 2000.0
        var nbf: Double?
        var sid: String? = "ses_1"
        var roles: [String]? = ["b", "a"]
        var tenant: String? = "t1"
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    /// A signing key of the test with the JWK of its public half.
    struct Signer {
        let keys = JWTKeyCollection()
        let eddsa: EdDSA.PrivateKey
        let jwk: String

        init(kid: String = "k1") async throws {
            eddsa = try EdDSA.PrivateKey()
            let x = eddsa.publicKey.rawRepresentation.base64EncodedString().replacing("+", with: "-")
                .replacing("/", with: "_").replacing("=", with: "")
            jwk = #"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"\#(kid)","x":"\#(x)"}"#
            await keys.add(eddsa: eddsa, kid: JWKIdentifier(string: kid))
        }

        func sign(_ claims: Claims = Claims(), kid: String = "k1", typ: String = "at+jwt") async throws -> String {
            try await keys.sign(claims, kid: JWKIdentifier(string: kid), header: ["typ": .string(typ)])
        }
    }

    static func verifier(_ signer: Signer) async throws -> JWTVerifier {
        try await JWTVerifier(keys: [signer.jwk], issuer: "theatre", audience: "api", now: { 1_000_000 })
    }

    @Test func goodTokenNamesItsPrincipal() async throws {
        let signer = try await Signer()
        let principal = try await Self.verifier(signer).verify(signer.sign())
        #expect(
            principal
                == Principal(
                    id: "usr_1", kind: .user, session: "ses_1", roles: ["a", "b"], tenant: "t1", expiresAt: 2_060_000))
    }

    @Test(arguments: [
        (Claims(iss: "other"), "auth.token_audience"), (Claims(aud: ["x"]), "auth.token_audience"),
        (Claims(exp: 930), "auth.token_expired"), (Claims(nbf: 1070), "auth.token_early"),
        (Claims(sub: ""), "auth.token_invalid"),
    ])
    func wrongClaimsAreRefused(claims: Claims, reason: String) async throws {
        let signer = try await Signer()
        let verifier = try await Self.verifier(signer)
        let token = try await signer.sign(claims)
        let error = await #expect(throws: TokenError.self) { try await verifier.verify(token) }
        #expect(error?.reason == reason)
    }

    @Test func clocksMayDifferByAMinute() async throws {
        let signer = try await Signer()
        let verifier = try await Self.verifier(signer)
        _ = try await verifier.verify(signer.sign(Claims(exp: 950, nbf: 1050)))
    }

    @Test func otherKeysTypesAndTamperedTokensAreRefused() async throws {
        let signer = try await Signer()
        let stranger = try await Signer()
        let unknown = try await Signer(kid: "k2")
        let verifier = try await Self.verifier(signer)
        let good = try await signer.sign()
        let parts = good.split(separator: ".")
        var signature = Array(parts[2].utf8)
        signature[10] = signature[10] == 65 ? 66 : 65
        let tokens: [(String, String)] = [
            (try await stranger.sign(), "auth.token_invalid"), (try await unknown.sign(kid: "k2"), "auth.token_key"),
            (try await signer.sign(typ: "JWT"), "auth.token_header"), ("x", "auth.token_invalid"),
            ("\(parts[0]).\(parts[1]).\(String(decoding: signature, as: UTF8.self))", "auth.token_invalid"),
            ("eyJhbGciOiJub25lIiwia2lkIjoiazEiLCJ0eXAiOiJhdCtqd3QifQ.\(parts[1]).", "auth.token_header"),
        ]
        for (token, reason) in tokens {
            let error = await #expect(throws: TokenError.self) { try await verifier.verify(token) }
            #expect(error?.reason == reason)
        }
    }

    @Test(arguments: [
        "{}", #"{"kty":"oct","k":"AAAA","kid":"a"}"#, #"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#,
        #"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AAAA","d":"AAAA"}"#,
    ])
    func keysThatAreNotPublicSigningKeysAreRefused(key: String) async {
        await #expect(throws: TokenError.self) { try await JWTVerifier(keys: [key], issuer: "a", audience: "b") }
    }

    @Test func cacheForgetsExpiredAndRevokedTokens() {
        var cache = TokenCache(capacity: 4)
        let revocations = Revocations()
        let keys = ["a", "b", "c"].map { TokenCache.Key(token: $0[...].utf8) }
        for key in keys {
            cache.insert(Caller(Principal(id: "u", kind: .user, session: "s", expiresAt: 100)), for: key)
        }
        #expect(cache.find(keys[2], at: 99, revocations: revocations)?.principal.id == "u")
        #expect(cache.find(keys[0], at: 99, revocations: revocations)?.principal.id == "u")
        #expect(cache.find(keys[0], at: 100, revocations: revocations) == nil)
        revocations.revoke("s", at: 0)
        #expect(cache.find(keys[2], at: 50, revocations: revocations) == nil)
    }

    @Test func aConnectionsLastCallerCountsForTheSameHeaderUntilItExpiresOrAnythingIsRevoked() {
        let caller = Caller(Principal(id: "u", kind: .user, session: "s", expiresAt: 100))
        let last = LastCaller("Bearer a", caller, epoch: 3)
        #expect(last.find("Bearer a", at: 99, epoch: 3) === caller)
        #expect(last.find("Bearer b", at: 99, epoch: 3) == nil)
        #expect(last.find("Bearer a", at: 100, epoch: 3) == nil)
        #expect(last.find("Bearer a", at: 99, epoch: 4) == nil)
    }
}
