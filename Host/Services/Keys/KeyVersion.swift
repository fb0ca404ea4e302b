// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials
public import Runtime

/// One version of a key, ready for use. Prints without its private half.
public struct KeyVersion: Sendable, CustomStringConvertible {
    /// RFC 7638 thumbprint, base64url.
    public let id: String
    /// EdDSA, ES256, RS256 or HS256.
    public let algorithm: String
    /// The public half as one JWK object, JSON with `kid`, `alg` and `use`; empty for HS256.
    public let publicJWK: String
    /// From when it signs, in milliseconds since 1970: it is published and checked by before. 0: it always did.
    public let signsFrom: Int64

    private let material: Material

    enum Material: Sendable {
        case edDSA(Curve25519.Signing.PrivateKey)
        case es256(P256.Signing.PrivateKey)
        case rs256(_RSA.Signing.PrivateKey)
        case hs256(SymmetricKey)
    }

    /// A version of this material, which `jwk` describes; its `alg` is taken from the material.
    init(_ material: Material, _ jwk: JWK) throws {
        var jwk = jwk
        switch material {
        case .edDSA: jwk.alg = "EdDSA"
        case .es256: jwk.alg = "ES256"
        case .rs256: jwk.alg = "RS256"
        case .hs256: jwk.alg = "HS256"
        }
        self.material = material
        id = jwk.thumbprint
        algorithm = jwk.alg ?? ""
        publicJWK = jwk.kty == "oct" ? "" : String(decoding: try jwk.publicHalf.json(), as: UTF8.self)
        signsFrom = (jwk.signsFrom ?? 0) * 1000
    }

    /// Signs `data`: 64 bytes of EdDSA and ES256, whose are raw r||s, and as many as the modulus has of RS256.
    /// FAILED_PRECONDITION `keys.wrong_algorithm` for HS256.
    public func sign(_ data: [UInt8]) throws(CallError) -> [UInt8] {
        do {
            switch material {
            case .edDSA(let key): return try Array(key.signature(for: data))
            case .es256(let key): return try Array(key.signature(for: data).rawRepresentation)
            case .rs256(let key):
                let digest = SHA256.hash(data: data)
                return try Array(key.signature(for: digest, padding: .insecurePKCS1v1_5).rawRepresentation)
            case .hs256: break
            }
        } catch {
            throw CallError(.internal, "keys.signing_failed", "The key \(id) could not sign.")
        }
        throw CallError(
            .failedPrecondition, "keys.wrong_algorithm",
            "An HS256 key does not sign; use Mac, or a key of another algorithm.")
    }

    /// True where `signature`, of any length, is of `data` by this version. FAILED_PRECONDITION `keys.wrong_algorithm`
    /// for HS256.
    public func verifies(signature: [UInt8], of data: [UInt8]) throws(CallError) -> Bool {
        switch material {
        case .edDSA(let key): return key.publicKey.isValidSignature(signature, for: data)
        case .es256(let key):
            guard signature.count == 64, let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
            else { return false }
            return key.publicKey.isValidSignature(signature, for: data)
        case .rs256(let key):
            return key.publicKey.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA256.hash(data: data),
                padding: .insecurePKCS1v1_5)
        case .hs256:
            throw CallError(
                .failedPrecondition, "keys.wrong_algorithm",
                "An HS256 key makes no signatures; use VerifyMac, or a key of another algorithm.")
        }
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

extension Collection<KeyVersion> {
    /// Of versions, newest first, the one that signs at `now`, in milliseconds since 1970: the newest whose time has come.
    /// Where that is none of them, the oldest: a key that is there signs. nil for no versions.
    public func signing(at now: Int64) -> KeyVersion? {
        if let due = first(where: { $0.signsFrom <= now }) { return due }
        return reversed().first
    }
}
