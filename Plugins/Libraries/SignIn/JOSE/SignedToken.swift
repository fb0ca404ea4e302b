// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import TheatreManifest

/// A JWS in compact form with claims (RFC 7515, RFC 7519), read but not believed.
public struct SignedToken: Sendable {
    /// What its header says; nil for one that is not used here, `none` and HMAC among them.
    public let algorithm: SignatureAlgorithm?
    /// `kid`, where it names one.
    public let keyID: String?
    /// Its claims.
    public let claims: [String: JSONValue]
    private let signed: Data
    private let signature: Data

    /// Longest that is read, in bytes.
    public static let longest = 16 << 10

    /// Nil for what is no JWS, is too long, or asks in `crit` for what is not understood.
    public init?(compact: String) {
        let parts = compact.split(separator: ".", omittingEmptySubsequences: false)
        guard compact.utf8.count <= Self.longest, parts.count == 3, let signature = Base64URL.decode(parts[2]),
            let header = Self.object(parts[0]), let claims = Self.object(parts[1]), header["crit"] == nil,
            let name = header["alg"]?.string
        else { return nil }
        algorithm = SignatureAlgorithm(rawValue: name)
        keyID = header["kid"]?.string
        self.claims = claims
        self.signature = signature
        signed = Data("\(parts[0]).\(parts[1])".utf8)
    }

    /// Whether one of these keys made it, with an algorithm that is allowed and that is the key's own.
    public func isSigned(by set: KeySet, _ allowed: Set<SignatureAlgorithm>) -> Bool {
        guard let algorithm, allowed.contains(algorithm) else { return false }
        return set.candidates(id: keyID, algorithm).contains { $0.verifies(signature, of: signed) }
    }

    /// Whether the set has a key that could have made it: else the set may be an old one.
    public func mayBeSigned(by set: KeySet) -> Bool {
        guard let algorithm else { return true }
        return !set.candidates(id: keyID, algorithm).isEmpty
    }

    private static func object(_ part: Substring) -> [String: JSONValue]? {
        guard let bytes = Base64URL.decode(part) else { return nil }
        do {
            guard case .object(let members) = try JSONValue(json: bytes) else { return nil }
            return members
        } catch {
            return nil
        }
    }
}
