// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials

extension KeyVersion {
    /// Reads a private JWK; nil where it is malformed or its halves do not belong together.
    init?(_ jwk: JWK) throws {
        let signsFrom = jwk.signsFrom ?? 0
        guard signsFrom >= 0, signsFrom < 1 << 40 else { return nil }
        switch (jwk.kty, jwk.crv) {
        case ("OKP", "Ed25519"):
            guard let d = jwk.d.flatMap(Base64URL.decode) else { return nil }
            let key = try Curve25519.Signing.PrivateKey(rawRepresentation: d)
            guard jwk.x == JWK(key).x else { return nil }
            try self.init(.edDSA(key), jwk)
        case ("EC", "P-256"):
            guard let d = jwk.d.flatMap(Base64URL.decode) else { return nil }
            let key = try P256.Signing.PrivateKey(rawRepresentation: d)
            guard jwk.x == JWK(key).x, jwk.y == JWK(key).y else { return nil }
            try self.init(.es256(key), jwk)
        case ("RSA", nil):
            let parts = [jwk.n, jwk.e, jwk.d, jwk.p, jwk.q].compactMap { $0.flatMap(Base64URL.decode) }
            guard parts.count == 5, parts[0].count <= Self.mostRSABytes else { return nil }
            let key = try _RSA.Signing.PrivateKey(n: parts[0], e: parts[1], d: parts[2], p: parts[3], q: parts[4])
            try self.init(rsa: key, signsFrom: jwk.signsFrom)
        case ("oct", nil):
            guard let k = jwk.k.flatMap(Base64URL.decode), k.count >= 32 else { return nil }
            try self.init(.hs256(SymmetricKey(data: k)), jwk)
        default:
            return nil
        }
    }

    /// Reads a secret of Standard Webhooks: `whsec_` and base64, padded or not, of 24 to 64 bytes; nil for anything else.
    init?(webhookSecret contents: Data) throws {
        let words = String(decoding: contents, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 1, let line = words.first, line.hasPrefix("whsec_") else { return nil }
        let base64 = line.dropFirst("whsec_".count).prefix { $0 != "=" }
        let padding = String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard let bytes = Data(base64Encoded: base64 + padding), (24...64).contains(bytes.count) else { return nil }
        try self.init(.hs256(SymmetricKey(data: bytes)), JWK(kty: "oct", k: Base64URL.encode(bytes)))
    }

    /// Reads a key as a secret has it: a private JWK, a private key in PEM, or `whsec_`; nil for anything else.
    init?(secret contents: Data) throws {
        let text = String(decoding: contents, as: UTF8.self)
        if text.hasPrefix("whsec_") {
            try self.init(webhookSecret: contents)
        } else if text.contains("-----BEGIN ") {
            try self.init(pem: text)
        } else {
            try self.init(JSONDecoder().decode(JWK.self, from: contents))
        }
    }

    /// Reads PEM: PKCS#8 of Ed25519, P-256 or RSA, and the older forms of the latter two.
    private init?(pem: String) throws {
        if let seed = Ed25519PEM.seed(of: pem) {
            let key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
            try self.init(.edDSA(key), JWK(key))
        } else if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
            try self.init(.es256(key), JWK(key))
        } else {
            // The curve of another EC key, and too short a modulus, are its errors too.
            let key = try _RSA.Signing.PrivateKey(pemRepresentation: pem)
            guard key.keySizeInBits <= Self.mostRSABytes * 8 else { return nil }
            try self.init(rsa: key, signsFrom: nil)
        }
    }

    /// Longest modulus: what is longer takes too long.
    private static var mostRSABytes: Int { 1024 }

    private init(rsa key: _RSA.Signing.PrivateKey, signsFrom: Int64?) throws {
        let half = try key.publicKey.getKeyPrimitives()
        try self.init(
            .rs256(key),
            JWK(
                kty: "RSA", n: Base64URL.encode(half.modulus.drop { $0 == 0 }),
                e: Base64URL.encode(half.publicExponent.drop { $0 == 0 }), signsFrom: signsFrom))
    }

    /// A new private JWK for an algorithm; nil where it is none that the host makes keys of.
    static func generate(_ algorithm: String, signsFrom: Int64? = nil) -> JWK? {
        var jwk: JWK
        switch algorithm {
        case "EdDSA":
            let key = Curve25519.Signing.PrivateKey()
            jwk = JWK(key)
            jwk.d = Base64URL.encode(key.rawRepresentation)
        case "ES256":
            let key = P256.Signing.PrivateKey()
            jwk = JWK(key)
            jwk.d = Base64URL.encode(key.rawRepresentation)
        case "HS256":
            let key = SymmetricKey(size: .bits256)
            jwk = JWK(kty: "oct", k: key.withUnsafeBytes { Base64URL.encode($0) })
        default:
            return nil
        }
        jwk.alg = algorithm
        jwk.signsFrom = signsFrom
        return jwk
    }
}

extension JWK {
    /// The public half.
    init(_ key: Curve25519.Signing.PrivateKey) {
        self.init(kty: "OKP", crv: "Ed25519", x: Base64URL.encode(key.publicKey.rawRepresentation))
    }

    /// The public half.
    init(_ key: P256.Signing.PrivateKey) {
        let point = key.publicKey.rawRepresentation
        self.init(
            kty: "EC", crv: "P-256", x: Base64URL.encode(point.prefix(32)), y: Base64URL.encode(point.suffix(32)))
    }
}

/// Ed25519 in PKCS#8, RFC 8410: of a fixed form, which the library beneath does not read.
private enum Ed25519PEM {
    /// What stands before the seed, but for the length and the version of the whole.
    private static let middle: [UInt8] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]

    /// The 32 bytes; nil for a key of another kind.
    static func seed(of pem: String) -> Data? {
        let begin = "-----BEGIN PRIVATE KEY-----", end = "-----END PRIVATE KEY-----"
        guard let start = pem.firstRange(of: begin), let stop = pem.firstRange(of: end),
            start.upperBound <= stop.lowerBound
        else { return nil }
        let base64 = pem[start.upperBound..<stop.lowerBound].filter { !$0.isWhitespace }
        // 48 bytes, or with the public half after them 83.
        guard let der = Data(base64Encoded: base64).map(Array.init), [48, 83].contains(der.count), der[0] == 0x30,
            Int(der[1]) == der.count - 2, der[2..<4].elementsEqual([0x02, 0x01]),
            der[4] == (der.count == 48 ? 0 : 1), der[5..<16].elementsEqual(middle)
        else { return nil }
        return Data(der[16..<48])
    }
}
