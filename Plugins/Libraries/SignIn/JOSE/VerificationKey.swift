// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
public import FoundationEssentials
public import TheatreManifest

/// A public key of somebody's key set (RFC 7517). It verifies with the one algorithm of its kind, whatever a token says.
public struct VerificationKey: Sendable {
    /// `kid`, or empty.
    public let id: String
    /// The only one it verifies with.
    public let algorithm: SignatureAlgorithm
    private let material: Material

    private enum Material: Sendable {
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    /// Reads a JWK; nil for a key of another kind, for another use, or that is malformed: a set may hold such too.
    public init?(jwk: JSONValue) {
        guard case .object(let members) = jwk, members["use"]?.string ?? "sig" == "sig",
            let material = Self.material(members)
        else { return nil }
        algorithm =
            switch material {
            case .rsa: .rs256
            case .p256: .es256
            case .ed25519: .edDSA
            }
        guard members["alg"]?.string ?? algorithm.rawValue == algorithm.rawValue else { return nil }
        if case .array(let operations)? = members["key_ops"], !operations.contains(.string("verify")) { return nil }
        id = members["kid"]?.string ?? ""
        self.material = material
    }

    private static func material(_ members: [String: JSONValue]) -> Material? {
        func bytes(_ name: String) -> Data? { members[name]?.string.flatMap { Base64URL.decode($0) } }
        do {
            switch members["kty"]?.string {
            case "RSA":
                guard let n = bytes("n"), let e = bytes("e"), n.count <= 1024, e.count <= 8 else { return nil }
                return .rsa(try _RSA.Signing.PublicKey(n: n, e: e))
            case "EC" where members["crv"]?.string == "P-256":
                guard let x = bytes("x"), let y = bytes("y"), x.count == 32, y.count == 32 else { return nil }
                return .p256(try P256.Signing.PublicKey(rawRepresentation: x + y))
            case "OKP" where members["crv"]?.string == "Ed25519":
                guard let x = bytes("x"), x.count == 32 else { return nil }
                return .ed25519(try Curve25519.Signing.PublicKey(rawRepresentation: x))
            default: return nil
            }
        } catch {
            // No point of the curve, or too small a modulus: a key that verifies nothing.
            return nil
        }
    }

    /// Whether a signature over `message` is this key's: of any length, a wrong one is no error.
    public func verifies(_ signature: Data, of message: Data) -> Bool {
        switch material {
        case .rsa(let key):
            return key.isValidSignature(
                .init(rawRepresentation: signature), for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
        case .p256(let key):
            guard signature.count == 64 else { return false }
            do {
                return key.isValidSignature(try .init(rawRepresentation: signature), for: message)
            } catch {
                return false
            }
        case .ed25519(let key): return key.isValidSignature(signature, for: message)
        }
    }
}
