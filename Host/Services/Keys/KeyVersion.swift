// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials
public import Runtime

/// One version of a key, ready for use. Prints without its private half.
public struct KeyVersion: Sendable, CustomStringConvertible {
    /// RFC 7638 thumbprint, base64url.
    public let id: String
    /// EdDSA, ES256 or HS256.
    public let algorithm: String
    /// The public half as one JWK object, JSON with `kid`, `alg` and `use`; empty for HS256.
    public let publicJWK: String

    private let material: Material

    private enum Material: Sendable {
        case edDSA(Curve25519.Signing.PrivateKey)
        case es256(P256.Signing.PrivateKey)
        case hs256(SymmetricKey)
    }

    /// Reads a private JWK; nil where it is malformed or its halves do not belong together.
    init?(_ jwk: JWK) throws {
        var jwk = jwk
        switch (jwk.kty, jwk.crv) {
        case ("OKP", "Ed25519"):
            guard let d = jwk.d.flatMap(Base64URL.decode) else { return nil }
            let key = try Curve25519.Signing.PrivateKey(rawRepresentation: d)
            guard jwk.x == Base64URL.encode(key.publicKey.rawRepresentation) else { return nil }
            (material, jwk.alg) = (.edDSA(key), "EdDSA")
        case ("EC", "P-256"):
            guard let d = jwk.d.flatMap(Base64URL.decode) else { return nil }
            let key = try P256.Signing.PrivateKey(rawRepresentation: d)
            let point = key.publicKey.rawRepresentation
            guard jwk.x == Base64URL.encode(point.prefix(32)), jwk.y == Base64URL.encode(point.suffix(32)) else {
                return nil
            }
            (material, jwk.alg) = (.es256(key), "ES256")
        case ("oct", nil):
            guard let k = jwk.k.flatMap(Base64URL.decode), k.count >= 32 else { return nil }
            (material, jwk.alg) = (.hs256(SymmetricKey(data: k)), "HS256")
        default:
            return nil
        }
        id = jwk.thumbprint
        algorithm = jwk.alg ?? ""
        publicJWK = jwk.kty == "oct" ? "" : String(decoding: try jwk.publicHalf.json(), as: UTF8.self)
    }

    /// Reads a secret of Standard Webhooks: `whsec_` and base64, padded or not, of 24 to 64 bytes; nil for anything else.
    init?(webhookSecret contents: Data) {
        let words = String(decoding: contents, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 1, let line = words.first, line.hasPrefix("whsec_") else { return nil }
        let base64 = line.dropFirst("whsec_".count).prefix { $0 != "=" }
        let padding = String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard let bytes = Data(base64Encoded: base64 + padding), (24...64).contains(bytes.count) else { return nil }
        id = JWK(kty: "oct", k: Base64URL.encode(bytes)).thumbprint
        algorithm = "HS256"
        publicJWK = ""
        material = .hs256(SymmetricKey(data: bytes))
    }

    /// A new private JWK for an algorithm; nil where it is not one of the three.
    static func generate(_ algorithm: String) -> JWK? {
        switch algorithm {
        case "EdDSA":
            let key = Curve25519.Signing.PrivateKey()
            return JWK(
                kty: "OKP", crv: "Ed25519", x: Base64URL.encode(key.publicKey.rawRepresentation),
                d: Base64URL.encode(key.rawRepresentation), alg: algorithm)
        case "ES256":
            let key = P256.Signing.PrivateKey()
            let point = key.publicKey.rawRepresentation
            return JWK(
                kty: "EC", crv: "P-256", x: Base64URL.encode(point.prefix(32)), y: Base64URL.encode(point.suffix(32)),
                d: Base64URL.encode(key.rawRepresentation), alg: algorithm)
        case "HS256":
            let key = SymmetricKey(size: .bits256)
            return JWK(kty: "oct", k: key.withUnsafeBytes { Base64URL.encode($0) }, alg: algorithm)
        default:
            return nil
        }
    }

    /// Signs `data`: 64 bytes, for ES256 raw r||s. FAILED_PRECONDITION `keys.wrong_algorithm` for HS256.
    public func sign(_ data: [UInt8]) throws(CallError) -> [UInt8] {
        do {
            switch material {
            case .edDSA(let key): return try Array(key.signature(for: data))
            case .es256(let key): return try Array(key.signature(for: data).rawRepresentation)
            case .hs256: break
            }
        } catch {
            throw CallError(.internal, "keys.signing_failed", "The key \(id) could not sign.")
        }
        throw CallError(
            .failedPrecondition, "keys.wrong_algorithm",
            "An HS256 key does not sign; use Mac, or an EdDSA or ES256 key.")
    }

    /// HMAC-SHA-256 of `data`: 32 bytes. FAILED_PRECONDITION `keys.wrong_algorithm` for signing keys.
    public func mac(_ data: [UInt8]) throws(CallError) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: data, using: try symmetric()))
    }

    /// True where `mac` is of `data` by this version; takes the same time either way.
    public func verifies(_ mac: [UInt8], of data: [UInt8]) throws(CallError) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(mac, authenticating: data, using: try symmetric())
    }

    private func symmetric() throws(CallError) -> SymmetricKey {
        if case .hs256(let key) = material { return key }
        throw CallError(
            .failedPrecondition, "keys.wrong_algorithm",
            "An \(algorithm) key makes no MAC; use Sign, or an HS256 key.")
    }

    /// Algorithm and id.
    public var description: String { "\(algorithm) \(id)" }
}
