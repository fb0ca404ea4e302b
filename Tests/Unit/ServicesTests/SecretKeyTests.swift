// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Foundation
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// Keys that secrets hold, as providers give them.
@Suite struct SecretKeyTests {
    /// A secret that is elsewhere until it is fetched, and may be put anew.
    private final class Vault: SecretSource {
        private let state: Mutex<(there: String, here: SecretBytes?, fetches: Int)>
        init(_ text: String) { state = Mutex((text, nil, 0)) }
        var fetches: Int { state.withLock { $0.fetches } }
        func put(_ text: String) { state.withLock { $0.there = text } }

        func value(for source: String) throws(CallError) -> SecretBytes {
            guard source == "store:merchant", let here = state.withLock({ $0.here }) else {
                throw CallError(.failedPrecondition, "secrets.missing", "There is none.")
            }
            return here
        }

        func fetch(
            _ sources: [String], for instance: InstanceIdentity, deadline: UInt64,
            _ then: @escaping @Sendable (CallError?) -> Void
        ) {
            guard sources == ["store:merchant"] else {
                return then(CallError(.unavailable, "secrets.away", "Another was asked for."))
            }
            state.withLock {
                $0.fetches += 1
                if $0.here.map({ $0.text() }) != $0.there { $0.here = SecretBytes($0.there.utf8) }
            }
            then(nil)
        }
    }

    private func grants(_ key: String, _ algorithm: String) -> ResolvedGrants {
        var grants = ResolvedGrants()
        grants.keys["merchant"] = .init(key: key, algorithm: algorithm)
        return grants
    }

    private func ask<Response: Message>(
        _ service: KeysService, _ operation: String, _ request: some Message, _ algorithm: String = "RS256"
    ) async throws -> Response {
        let call = try FakeHostCall(request, grants: grants("store:merchant", algorithm))
        service.serve(operation, call)
        return try await call.response(Response.self)
    }

    private func service(_ vault: Vault) throws -> KeysService {
        KeysService(source: try OneKey(), secrets: vault)
    }

    @Test func anRSAKeyInPEMSignsAndIsPublished() async throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let vault = Vault(key.pemRepresentation)
        let service = try service(vault)
        let data = Data("POST\n/v3/pay/transactions/jsapi\n1554208460\nnonce\n{}\n".utf8)
        let sign = HostSignRequest.with {
            $0.key = "merchant"
            $0.data = data
        }
        let signed: HostSignResponse = try await ask(service, "Sign", sign)
        #expect(signed.algorithm == "RS256" && signed.signature.count == 256)
        #expect(
            key.publicKey.isValidSignature(
                .init(rawRepresentation: signed.signature), for: SHA256.hash(data: data), padding: .insecurePKCS1v1_5))
        let valid: HostVerifySignatureResponse = try await ask(
            service, "Verify",
            HostVerifySignatureRequest.with {
                $0.key = "merchant"
                $0.keyID = signed.keyID
                $0.data = data
                $0.signature = signed.signature
            })
        #expect(valid.valid)
        let published: HostPublicKeysResponse = try await ask(
            service, "PublicKeys", HostPublicKeysRequest.with { $0.key = "merchant" })
        let jwk = try JSONDecoder().decode(JWK.self, from: Data(try #require(published.keys.first).jwk.utf8))
        let half = try key.publicKey.getKeyPrimitives()
        #expect(jwk.kty == "RSA" && jwk.kid == signed.keyID && jwk.d == nil && jwk.p == nil)
        #expect(jwk.n.flatMap(Base64URL.decode) == half.modulus && jwk.e == "AQAB")

        // Put anew, it counts at once.
        vault.put(try _RSA.Signing.PrivateKey(keySize: .bits2048).pemRepresentation)
        let again: HostSignResponse = try await ask(service, "Sign", sign)
        #expect(again.keyID != signed.keyID && vault.fetches == 4)
    }

    /// RFC 7638 section 3.1.
    @Test func theThumbprintOfAnRSAKeyIsThatOfTheStandard() {
        let jwk = JWK(
            kty: "RSA",
            n:
                "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4"
                + "n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0"
                + "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-"
                + "csFCur-kEgU8awapJzKnqDKgw", e: "AQAB")
        #expect(jwk.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    }

    /// Of RFC 8410 section 10.3, without and with the public half; and of its own making for P-256.
    @Test(arguments: [
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC",
        "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhCoB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEA"
            + "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
    ])
    func anEd25519KeyInPEMIsReadWhereItIsPlain(_ base64: String) throws {
        let pem = "-----BEGIN PRIVATE KEY-----\n\(base64)\n-----END PRIVATE KEY-----\n"
        let version = try? KeyVersion(secret: Data(pem.utf8))
        // With attributes between, it is of a form that nobody's tool writes.
        #expect((version ?? nil)?.algorithm == (base64.utf8.count < 70 ? "EdDSA" : nil))
        if let version = version ?? nil {
            #expect(version.publicJWK.contains("Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"))
        }
    }

    @Test func aP256KeyInEitherFormAndAJWKAreRead() throws {
        let key = P256.Signing.PrivateKey()
        let jwk = try #require(KeyVersion.generate("ES256"))
        for (text, id) in [
            (key.pemRepresentation, JWK(key).thumbprint),
            (String(decoding: try jwk.json(), as: UTF8.self), jwk.thumbprint),
        ] {
            let version = try #require(try KeyVersion(secret: Data(text.utf8)))
            #expect(version.algorithm == "ES256" && version.id == id)
            let signature = try version.sign(Array("text".utf8))
            #expect(signature.count == 64)
            #expect(try version.verifies(signature: signature, of: Array("text".utf8)))
            #expect(try !version.verifies(signature: Array(signature.dropLast()), of: Array("text".utf8)))
        }
    }

    @Test(arguments: [
        "", "secret", "{}", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "whsec_short",
        "-----END PRIVATE KEY----------BEGIN PRIVATE KEY-----",
    ])
    func whatIsNoKeyIsNamedAndNotRepeated(_ text: String) async throws {
        let call = try FakeHostCall(
            HostSignRequest.with { $0.key = "merchant" }, grants: grants("store:merchant", "RS256"))
        try service(Vault(text)).serve("Sign", call)
        let error = await call.error()
        #expect(error?.reason == "keys.malformed")
        #expect(text.isEmpty || error?.message.contains(text) == false)
    }

    @Test func whatCannotBeFetchedAndAnotherAlgorithmAreRefused() async throws {
        let service = try service(Vault(P256.Signing.PrivateKey().pemRepresentation))
        let request = HostSignRequest.with { $0.key = "merchant" }
        let away = try FakeHostCall(request, grants: grants("store:another", "ES256"))
        service.serve("Sign", away)
        #expect(await away.error()?.reason == "secrets.away")
        let other = try FakeHostCall(request, grants: grants("store:merchant", "RS256"))
        service.serve("Sign", other)
        #expect(await other.error()?.reason == "keys.wrong_algorithm")
        let signed: HostSignResponse = try await ask(service, "Sign", request, "ES256")
        #expect(signed.algorithm == "ES256")
    }
}
