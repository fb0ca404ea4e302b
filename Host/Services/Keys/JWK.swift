// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials

/// A JSON Web Key (RFC 7517, RFC 7518 section 6.3, RFC 8037) of the kinds the host uses.
struct JWK: Codable, Sendable {
    var kty: String
    var crv: String?
    var x: String?
    var y: String?
    var n: String?
    var e: String?
    var d: String?
    var p: String?
    var q: String?
    var k: String?
    var alg: String?
    var use: String?
    var kid: String?
    /// From when it signs, in seconds since 1970: a member of our own, of which others know nothing.
    var signsFrom: Int64?

    enum CodingKeys: String, CodingKey {
        case kty, crv, x, y, n, e, d, p, q, k, alg, use, kid
        case signsFrom = "theatre_signs_from"
    }

    /// RFC 7638: SHA-256 of the required members in lexical order, base64url.
    var thumbprint: String {
        let members: [(String, String?)] =
            switch kty {
            case "EC": [("crv", crv), ("kty", kty), ("x", x), ("y", y)]
            case "OKP": [("crv", crv), ("kty", kty), ("x", x)]
            case "RSA": [("e", e), ("kty", kty), ("n", n)]
            default: [("k", k), ("kty", kty)]
            }
        let text = members.map { name, value in "\"\(name)\":\"\(value ?? "")\"" }.joined(separator: ",")
        return Base64URL.encode(SHA256.hash(data: Data("{\(text)}".utf8)))
    }

    /// Without what is private.
    var publicHalf: JWK {
        JWK(kty: kty, crv: crv, x: x, y: y, n: n, e: e, alg: alg, use: "sig", kid: thumbprint)
    }

    /// One JSON object, members sorted.
    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
