// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What may be wrong with a token that an identity provider's emulator makes. Named as in the published suite.
public enum TokenFlaw: String, Sendable {
    case unsigned, confused, otherKey, changed, otherAudience, otherParty, otherIssuer, lapsed, early, otherNonce
    case noNonce, nobody, otherAccessToken

    /// Claims with the flaw, where it is one of claims.
    func apply(to claims: [String: Any], at seconds: Int64) -> [String: Any] {
        var claims = claims
        switch self {
        case .otherAudience: claims["aud"] = "another-client"
        case .otherParty:
            claims["aud"] = [claims["aud"] ?? "", "another-client"]
            claims["azp"] = "another-client"
        case .otherIssuer: claims["iss"] = "https://thief.example"
        case .lapsed: (claims["iat"], claims["exp"]) = (seconds - 900, seconds - 300)
        case .early: (claims["iat"], claims["exp"]) = (seconds + 300, seconds + 900)
        case .otherNonce: claims["nonce"] = "n-0S6_WzA2Mj"
        case .noNonce: claims["nonce"] = nil
        case .nobody: claims["sub"] = nil
        case .otherAccessToken: claims["at_hash"] = "MTIzNDU2Nzg5MDEyMzQ1Ng"
        case .unsigned, .confused, .otherKey, .changed: break
        }
        return claims
    }

    /// The token, flawed where it is the signature that is.
    func token(_ claims: [String: Any], by signer: TokenSigner, at seconds: Int64) throws -> String {
        let claims = apply(to: claims, at: seconds)
        switch self {
        case .unsigned: return try signer.unsigned(claims)
        case .confused: return try signer.confused(claims)
        case .otherKey: return try TokenSigner(signer.kind, id: signer.id, odd: true).token(claims)
        case .changed:
            let parts = try signer.token(claims).split(separator: ".")
            var changed = claims
            changed["sub"] = "administrator"
            let body = try JSONSerialization.data(withJSONObject: changed, options: [.sortedKeys])
            return "\(parts[0]).\(TokenSigner.text(body)).\(parts[2])"
        default: return try signer.token(claims)
        }
    }
}
