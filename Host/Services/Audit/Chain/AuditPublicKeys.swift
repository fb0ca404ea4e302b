// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
public import FoundationEssentials

/// The public keys that checkpoints are verified by.
public struct AuditPublicKeys: Sendable {
    private enum Key: Sendable {
        case edDSA(Curve25519.Signing.PublicKey)
        case es256(P256.Signing.PublicKey)
    }

    private struct KeySet: Decodable {
        var keys: [JWK]
    }

    private let keys: [String: Key]

    /// Whether there is none.
    public var isEmpty: Bool { keys.isEmpty }

    /// Keys of JSON texts, each one JWK or a set of them; nil where one is neither, or holds another kind of key.
    public init?(_ texts: some Sequence<Data>) {
        var found: [String: Key] = [:]
        let decoder = JSONDecoder()
        for text in texts {
            let jwks: [JWK]
            if let set = try? decoder.decode(KeySet.self, from: text) {
                jwks = set.keys
            } else if let jwk = try? decoder.decode(JWK.self, from: text) {
                jwks = [jwk]
            } else {
                return nil
            }
            for jwk in jwks {
                guard let key = Self.key(jwk) else { return nil }
                found[jwk.thumbprint] = key
            }
        }
        keys = found
    }

    /// Whether the key with this thumbprint made `signature`; nil where there is no such key.
    func verifies(_ signature: Data, of bytes: [UInt8], by id: String) -> Bool? {
        switch keys[id] {
        case .edDSA(let key): return key.isValidSignature(signature, for: bytes)
        case .es256(let key):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: bytes)
        case nil: return nil
        }
    }

    private static func key(_ jwk: JWK) -> Key? {
        guard let x = jwk.x.flatMap(Base64URL.decode) else { return nil }
        switch (jwk.kty, jwk.crv) {
        case ("OKP", "Ed25519"):
            return (try? Curve25519.Signing.PublicKey(rawRepresentation: x)).map { .edDSA($0) }
        case ("EC", "P-256"):
            guard let y = jwk.y.flatMap(Base64URL.decode) else { return nil }
            return (try? P256.Signing.PublicKey(rawRepresentation: x + y)).map { .es256($0) }
        default: return nil
        }
    }
}
