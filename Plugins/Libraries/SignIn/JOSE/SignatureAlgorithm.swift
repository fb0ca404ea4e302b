// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Algorithms that tokens of others may be signed with. There is no `none` and no HMAC: what a verifier may hold is public.
public enum SignatureAlgorithm: String, Sendable, CaseIterable, Decodable {
    /// RSASSA-PKCS1-v1_5 with SHA-256, at least 2048 bits.
    case rs256 = "RS256"
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
    /// Ed25519.
    case edDSA = "EdDSA"
}
