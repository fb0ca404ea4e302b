// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import NIOHTTP1
import Testing
import TheatreManifest

/// Access tokens signed with a P-256 key that the deployment brought, and tokens that only look like them.
@Suite(.serialized) struct TokenTests {
    @Test func tokensOfAnES256KeyCountAndForgeriesDoNot() async throws {
        let signing = P256.Signing.PrivateKey()
        let folder = try TemporaryFolder()
        try folder.writeKey("session/0001.jwk", SigningKey.jwk(signing))
        let server = try await ServerProcess.start(Sources.defaultDeployment, folder: folder)
        let person = try await Account.new(on: server)
        #expect(try await person.client.expect(200, .GET, "/api/v1/me")["id"]?.string == person.id)

        let token = try SignedToken(try #require(person.client.token))
        #expect(token.header["alg"] == .string("ES256"))
        let set = try await server.client.expect(200, .GET, "/.well-known/jwks.json")
        let keys = try #require(set["keys"]?.array)
        let key = try #require(keys.first)
        // The other is that of receipts.
        #expect(keys.count == 2)
        #expect(key["kty"]?.string == "EC")
        #expect(key["crv"]?.string == "P-256")
        #expect(key["kid"] == token.header["kid"])
        #expect(key["d"] == nil)
        let point = try Base64URL.decode(key.text("/x")) + Base64URL.decode(key.text("/y"))
        let published = try P256.Signing.PublicKey(rawRepresentation: point)
        #expect(published.rawRepresentation == signing.publicKey.rawRepresentation)
        let signature = try P256.Signing.ECDSASignature(rawRepresentation: token.signature)
        #expect(published.isValidSignature(signature, for: token.input))

        // A token of the test's own making counts, so what is refused below is refused for what is wrong with it.
        var client = person.client
        client.token = try token.signed { try signing.signature(for: $0).rawRepresentation }
        #expect(try await client.get("/api/v1/me").status == 200)
        for (name, forged) in try Self.forgeries(of: token, signing) {
            client.token = forged
            let answer = try await client.get("/api/v1/me")
            #expect(answer.status == 401, "\(name): \(answer.text)")
            #expect(!answer.text.contains(person.email))
        }
        client.token = person.client.token
        #expect(try await client.get("/api/v1/me").status == 200)
        try await server.stop()
    }

    private static func forgeries(
        of token: SignedToken, _ signing: P256.Signing.PrivateKey
    ) throws -> [(name: String, token: String)] {
        let sign: (Data) throws -> Data = { try signing.signature(for: $0).rawRepresentation }
        func forged(_ header: [String: JSONValue], _ claims: [String: JSONValue] = [:]) -> SignedToken {
            var forged = token
            forged.header.merge(header) { $1 }
            forged.claims.merge(claims) { $1 }
            return forged
        }
        func mac(_ secret: Data) -> (Data) -> Data {
            { Data(HMAC<SHA256>.authenticationCode(for: $0, using: SymmetricKey(data: secret))) }
        }
        let now = Int64(Date().timeIntervalSince1970)
        let hs256 = forged(["alg": .string("HS256")])
        let point = signing.publicKey
        let stranger = P256.Signing.PrivateKey()
        return [
            ("alg none", try forged(["alg": .string("none")]).signed { _ in Data() }),
            ("alg None, signed", try forged(["alg": .string("None")]).signed(sign)),
            ("HS256 by the public PEM", try hs256.signed(mac(Data(point.pemRepresentation.utf8)))),
            ("HS256 by the public DER", try hs256.signed(mac(point.derRepresentation))),
            ("HS256 by the public point", try hs256.signed(mac(point.x963Representation))),
            ("HS256 by x and y", try hs256.signed(mac(point.rawRepresentation))),
            ("another kid", try forged(["kid": .string("another")]).signed(sign)),
            ("no kid", try forged(["kid": .null]).signed(sign)),
            ("another type", try forged(["typ": .string("JWT")]).signed(sign)),
            ("another key", try token.signed { try stranger.signature(for: $0).rawRepresentation }),
            ("a DER signature", try token.signed { try signing.signature(for: $0).derRepresentation }),
            ("no signature", try token.signed { _ in Data() }),
            ("expired", try forged([:], ["exp": .integer(now - 120)]).signed(sign)),
            ("not yet", try forged([:], ["nbf": .integer(now + 120)]).signed(sign)),
            ("another issuer", try forged([:], ["iss": .string("another")]).signed(sign)),
            ("another audience", try forged([:], ["aud": .string("another")]).signed(sign)),
            (
                "another subject, the old signature",
                try forged([:], ["sub": .string("usr_x")]).signed { _ in token.signature }
            ),
        ]
    }
}
