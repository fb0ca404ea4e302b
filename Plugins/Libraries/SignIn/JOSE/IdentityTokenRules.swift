// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import TheatreManifest
import TheatrePlugin

/// What an identity token must say (OpenID Connect Core 1.0, 3.1.3.7), once its signature holds.
public struct IdentityTokenRules: Sendable {
    /// `iss`, byte for byte.
    public var issuer: String
    /// One of them must be in `aud`; where `aud` names others too, one of them must be `azp`.
    public var audiences: Set<String>
    /// `nonce`, byte for byte; nil where none was given.
    public var nonce: String?
    /// The access token that came beside it, for `at_hash`; empty: none came.
    public var accessToken = ""
    /// Seconds by which clocks may differ.
    public var skew: Int64 = 60

    /// Rules.
    public init(issuer: String, audiences: Set<String>, nonce: String?) {
        self.issuer = issuer
        self.audiences = audiences
        self.nonce = nonce
    }

    /// What is wrong with a token, for the log and nobody else; nil where nothing is.
    ///
    /// - Parameter now: milliseconds since 1970.
    public func fault(_ token: SignedToken, at now: Int64) -> String? {
        let claims = token.claims
        guard claims["iss"]?.string == issuer else { return "issuer" }
        guard audienceHolds(claims) else { return "audience" }
        let seconds = now / 1000
        guard let expiry = claims["exp"]?.seconds, expiry > seconds - skew else { return "expired" }
        guard let issued = claims["iat"]?.seconds, issued <= seconds + skew else { return "issued in the future" }
        if let start = claims["nbf"], start.seconds.map({ $0 <= seconds + skew }) != true { return "not yet valid" }
        if let nonce, claims["nonce"]?.string != nonce { return "nonce" }
        guard let subject = claims["sub"]?.string, (1...255).contains(subject.utf8.count) else { return "subject" }
        if let hash = claims["at_hash"], !accessToken.isEmpty, hash.string != accessTokenHash(token.algorithm) {
            return "at_hash"
        }
        return nil
    }

    private func audienceHolds(_ claims: [String: JSONValue]) -> Bool {
        let named: [String] =
            switch claims["aud"] {
            case .string(let one)?: [one]
            case .array(let several)?: several.compactMap(\.string)
            default: []
            }
        guard !audiences.isDisjoint(with: named) else { return false }
        guard let party = claims["azp"] else { return named.count == 1 }
        return party.string.map { audiences.contains($0) } == true
    }

    /// The left half of the hash that goes with the signature's algorithm.
    private func accessTokenHash(_ algorithm: SignatureAlgorithm?) -> String {
        let bytes = Array(accessToken.utf8)
        if algorithm == .edDSA { return Base64URL.encode(Array(SHA512.hash(data: bytes)).prefix(32)) }
        return Base64URL.encode(Digest.sha256(bytes).prefix(16))
    }
}

extension JSONValue {
    /// A NumericDate in whole seconds; nil for anything else.
    var seconds: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value) where value.isFinite && abs(value) < 1e15: Int64(value)
        default: nil
        }
    }
}
