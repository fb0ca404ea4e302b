// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SignIn
import Testing
import TheatreManifest

/// Published vectors: RFC 7515 A.1 and A.2, RFC 8037 A.4, RFC 7636 B, and a client secret of Apple's kind.
struct VectorTests {
    static let rsaToken =
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19"
        + "yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt"
        + "_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
        + "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI"
        + "8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    static let rsaModulus =
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR"
        + "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB"
        + "dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia"
        + "GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    static let hmacToken =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
        + "LmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    static let appleToken =
        "eyJhbGciOiJFUzI1NiIsImtpZCI6IkFCQzEyM0RFRkciLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJERUYxMjNHSElKIiwiaWF0IjoxNzAwMDAwMDA"
        + "wLCJleHAiOjE3MDAwMDM2MDAsImF1ZCI6Imh0dHBzOi8vYXBwbGVpZC5hcHBsZS5jb20iLCJzdWIiOiJjb20ubXl0ZXN0LmFwcCJ9.psFSzy"
        + "ppvEKCQw409-xTl7CIC7u0Idb0vHnqqXB_15qqQHqNlBuiZCCmje-TgVuYWU-CYwd5L4ZqCOXXZfhRig"

    private func set(_ keys: [[String: String]]) throws -> KeySet {
        let document = try JSONEncoder().encode(["keys": keys])
        return try #require(KeySet(json: document))
    }

    private var rsa: [String: String] { ["kty": "RSA", "n": Self.rsaModulus, "e": "AQAB"] }

    private var p256: [String: String] {
        [
            "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        ]
    }

    @Test func aPublishedRSASignatureHolds() throws {
        let token = try #require(SignedToken(compact: Self.rsaToken))
        #expect(token.isSigned(by: try set([rsa]), [.rs256]))
        #expect(token.claims["iss"] == .string("joe"))
        #expect(!token.isSigned(by: try set([rsa]), [.es256, .edDSA]))
        #expect(!token.isSigned(by: try set([p256]), [.rs256, .es256]))
        var changed = Self.rsaToken
        changed.replace("eyJpc3MiOiJqb2UiLA0K", with: "eyJpc3MiOiJqb3UiLA0K")
        #expect(try #require(SignedToken(compact: changed)).isSigned(by: set([rsa]), [.rs256]) == false)
    }

    @Test func aPublishedECDSASignatureHolds() throws {
        let token = try #require(SignedToken(compact: Self.appleToken))
        var named = p256
        named["kid"] = "ABC123DEFG"
        #expect(token.isSigned(by: try set([named]), [.es256]))
        named["kid"] = "another"
        #expect(!token.isSigned(by: try set([named]), [.es256]))
        #expect(!token.mayBeSigned(by: try set([named])))
    }

    @Test func aPublishedEd25519SignatureHolds() throws {
        let key = try #require(
            VerificationKey(
                jwk: .object([
                    "kty": .string("OKP"), "crv": .string("Ed25519"),
                    "x": .string("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
                ])))
        let signature = try #require(
            Base64URL.decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"))
        let message = Data("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8)
        #expect(key.algorithm == .edDSA)
        #expect(key.verifies(signature, of: message))
        #expect(!key.verifies(signature, of: message + [0]))
    }

    @Test func anHMACTokenIsReadAndNeverVerified() throws {
        let token = try #require(SignedToken(compact: Self.hmacToken))
        #expect(token.algorithm == nil)
        #expect(!token.isSigned(by: try set([rsa, p256]), Set(SignatureAlgorithm.allCases)))
    }

    @Test func theVerifierOfRFC7636HasItsChallenge() {
        #expect(
            Challenge.codeChallenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
                == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }
}
