// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Foundation

/// Signs tokens as identity providers do, also wrongly where that is asked.
public struct TokenSigner: Sendable {
    /// What the key is of.
    public enum Kind: String, Sendable, CaseIterable {
        case rs256 = "RS256"
        case es256 = "ES256"
        case edDSA = "EdDSA"
    }

    /// `kid`.
    public let id: String
    /// Of the key.
    public let kind: Kind
    private let key: Key

    private enum Key: Sendable {
        case rsa(_RSA.Signing.PrivateKey)
        case p256(P256.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
    }

    /// RSA keys take long to make: one for all tests, and one to rotate to.
    private static let rsaKeys: [_RSA.Signing.PrivateKey] = (0..<2).compactMap { _ in
        try? _RSA.Signing.PrivateKey(keySize: .bits2048)
    }

    /// A key; of RSA there are two, an even and an odd one.
    public init(_ kind: Kind, id: String, odd: Bool = false) {
        self.id = id
        self.kind = kind
        key =
            switch kind {
            case .rs256: .rsa(Self.rsaKeys[odd ? 1 : 0])
            case .es256: .p256(P256.Signing.PrivateKey())
            case .edDSA: .ed25519(Curve25519.Signing.PrivateKey())
            }
    }

    /// The public half, as a set has it.
    public var jwk: [String: String] {
        var members = ["kid": id, "use": "sig", "alg": kind.rawValue]
        switch key {
        case .rsa(let key):
            let primitives = try? key.publicKey.getKeyPrimitives()
            members["kty"] = "RSA"
            members["n"] = primitives.map { Self.text($0.modulus) }
            members["e"] = primitives.map { Self.text($0.publicExponent) }
        case .p256(let key):
            let point = key.publicKey.rawRepresentation
            members.merge(["kty": "EC", "crv": "P-256"]) { $1 }
            members["x"] = Self.text(point.prefix(32))
            members["y"] = Self.text(point.suffix(32))
        case .ed25519(let key):
            members.merge(["kty": "OKP", "crv": "Ed25519"]) { $1 }
            members["x"] = Self.text(key.publicKey.rawRepresentation)
        }
        return members
    }

    /// What an attacker would take for the secret of an HMAC: the public key as it is published.
    public var publicBytes: Data {
        switch key {
        case .rsa(let key): Data(key.publicKey.pemRepresentation.utf8)
        case .p256(let key): Data(key.publicKey.pemRepresentation.utf8)
        case .ed25519(let key): key.publicKey.rawRepresentation
        }
    }

    /// The signature over bytes: of ES256 raw.
    public func sign(_ data: Data) throws -> Data {
        switch key {
        case .rsa(let key):
            try key.signature(for: SHA256.hash(data: data), padding: .insecurePKCS1v1_5).rawRepresentation
        case .p256(let key): try key.signature(for: data).rawRepresentation
        case .ed25519(let key): try key.signature(for: data)
        }
    }

    /// Whether this key made a signature.
    public func verifies(_ signature: Data, of data: Data) -> Bool {
        switch key {
        case .rsa(let key):
            key.publicKey.isValidSignature(
                .init(rawRepresentation: signature), for: SHA256.hash(data: data), padding: .insecurePKCS1v1_5)
        case .p256(let key):
            (try? P256.Signing.ECDSASignature(rawRepresentation: signature)).map {
                key.publicKey.isValidSignature($0, for: data)
            } ?? false
        case .ed25519(let key): key.publicKey.isValidSignature(signature, for: data)
        }
    }

    /// A token of claims.
    public func token(_ claims: [String: Any], header: [String: Any] = [:]) throws -> String {
        let header = ["alg": kind.rawValue, "kid": id, "typ": "JWT"].merging(header) { $1 }
        let signed = try Self.signingInput(header, claims)
        return "\(signed).\(Self.text(try sign(Data(signed.utf8))))"
    }

    /// A token that says `none` and has no signature.
    public func unsigned(_ claims: [String: Any]) throws -> String {
        "\(try Self.signingInput(["alg": "none", "kid": id], claims))."
    }

    /// A token whose HMAC has the public key for its secret.
    public func confused(_ claims: [String: Any]) throws -> String {
        let signed = try Self.signingInput(["alg": "HS256", "kid": id], claims)
        let code = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: SymmetricKey(data: publicBytes))
        return "\(signed).\(Self.text(Data(code)))"
    }

    /// The claims of a token that this ES256 key made; nil for any other, or another algorithm in its header.
    public func claims(ofOwn token: String) -> [String: Any]? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, case .p256(let key) = key, let signature = Self.bytes(parts[2]),
            let header = Self.object(parts[0]), header["alg"] as? String == "ES256", header["kid"] as? String == id,
            let ecdsa = try? P256.Signing.ECDSASignature(rawRepresentation: signature),
            key.publicKey.isValidSignature(ecdsa, for: Data("\(parts[0]).\(parts[1])".utf8))
        else { return nil }
        return Self.object(parts[1])
    }

    private static func object(_ part: Substring) -> [String: Any]? {
        bytes(part).flatMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] }
    }

    /// Base64url without padding.
    public static func text(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    /// Bytes of base64url.
    public static func bytes(_ text: some StringProtocol) -> Data? {
        let standard = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        return Data(base64Encoded: standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4))
    }

    private static func signingInput(_ header: [String: Any], _ claims: [String: Any]) throws -> String {
        try [header, claims].map {
            text(try JSONSerialization.data(withJSONObject: $0, options: [.sortedKeys, .withoutEscapingSlashes]))
        }.joined(separator: ".")
    }
}
