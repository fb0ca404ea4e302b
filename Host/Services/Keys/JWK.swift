// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials

/// A JSON Web Key (RFC 7517, RFC 8037) of the kinds the host uses.
struct JWK: Codable, Sendable {
    var kty: String
    var crv: String?
    var x: String?
    var y: String?
    var d: String?
    var k: String?
    var alg: String?
    var use: String?
    var kid: String?

    /// RFC 7638: SHA-256 of the required members in lexical order, base64url.
    var thumbprint: String {
        let members: [(String, String?)] =
            switch kty {
            case "EC": [("crv", crv), ("kty", kty), ("x", x), ("y", y)]
            case "OKP": [("crv", crv), ("kty", kty), ("x", x)]
            default: [("k", k), ("kty", kty)]
            }
        let text = members.map { name, value in "\"\(name)\":\"\(value ?? "")\"" }.joined(separator: ",")
        return Base64URL.encode(SHA256.hash(data: Data("{\(text)}".utf8)))
    }

    /// Without what is private.
    var publicHalf: JWK {
        var copy = self
        copy.d = nil
        copy.k = nil
        copy.use = "sig"
        copy.kid = thumbprint
        return copy
    }

    /// One JSON object, members sorted.
    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
