// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import JWTKit

/// Access tokens of RFC 9068, signed with ES256 or EdDSA by keys known beforehand.
public struct JWTVerifier: TokenVerifier {
    private let keys: JWTKeyCollection
    private let algorithms: [String: String]
    private let issuer: String
    private let audience: String
    private let skew: Double
    private let now: @Sendable () -> Int64

    /// Loads verification keys.
    ///
    /// - Parameters:
    ///   - keys: one public JWK each, JSON, with `kid`.
    ///   - issuer: what `iss` must be.
    ///   - audience: what `aud` must hold.
    ///   - skewSeconds: how far clocks may differ, at most 60.
    ///   - now: milliseconds since 1970; nil for the wall clock.
    /// - Throws: ``TokenError`` `auth.key_invalid` for a key of another kind, without `kid`, or a private one.
    public init(
        keys: [String], issuer: String, audience: String, skewSeconds: Int = 60,
        now: (@Sendable () -> Int64)? = nil
    ) async throws {
        let collection = JWTKeyCollection()
        var algorithms: [String: String] = [:]
        for text in keys {
            let key: JWK
            do { key = try JWK(json: text) } catch {
                throw TokenError("auth.key_invalid", "A verification key is not a JWK: \(error).")
            }
            guard let kid = key.keyIdentifier?.string, !kid.isEmpty, key.privateExponent == nil,
                let algorithm = Self.algorithm(of: key), algorithms[kid] == nil
            else {
                throw TokenError(
                    "auth.key_invalid", "A verification key must be a public P-256 or Ed25519 JWK with its own kid.")
            }
            algorithms[kid] = algorithm
            try await collection.add(jwk: key)
        }
        self.keys = collection
        self.algorithms = algorithms
        self.issuer = issuer
        self.audience = audience
        self.skew = Double(min(max(skewSeconds, 0), 60))
        self.now = now ?? { wallMilliseconds() }
    }

    private static func algorithm(of key: JWK) -> String? {
        if key.keyType == .ecdsa, key.curve == .ecdsa(.p256), key.algorithm ?? .es256 == .es256 { return "ES256" }
        if key.keyType == .octetKeyPair, key.curve == .eddsa(.ed25519), key.algorithm ?? .eddsa == .eddsa {
            return "EdDSA"
        }
        return nil
    }

    /// Checks header, signature and claims.
    public func verify(_ token: String) async throws -> Principal {
        try checkHeader(token)
        let claims: Claims
        do {
            claims = try await keys.verify(token, as: Claims.self)
        } catch {
            throw TokenError("auth.token_invalid", "The token's signature or form is not valid.")
        }
        return try principal(claims)
    }

    private func checkHeader(_ token: String) throws {
        guard token.utf8.allSatisfy(Self.mayBeInToken) else {
            throw TokenError("auth.token_invalid", "The token's form is not valid.")
        }
        let header: JWTHeader
        do {
            header = try DefaultJWTParser().parse(Array(token.utf8), as: Claims.self).header
        } catch {
            throw TokenError("auth.token_invalid", "The token's form is not valid.")
        }
        guard let kid = header.kid, let algorithm = algorithms[kid] else {
            throw TokenError("auth.token_key", "The token is signed with a key that is not known here.")
        }
        let type = header.typ?.lowercased()
        guard header.alg == algorithm, type == "at+jwt" || type == "application/at+jwt", header.crit == nil else {
            throw TokenError("auth.token_header", "The token's alg or typ does not fit an access token of its key.")
        }
    }

    /// Base64url without padding, which the decoder would read over, and the dots between.
    private static func mayBeInToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }

    private func principal(_ claims: Claims) throws -> Principal {
        let now = Double(now()) / 1000
        guard claims.iss == issuer, claims.aud.value.contains(audience) else {
            throw TokenError("auth.token_audience", "The token was made by or for someone else.")
        }
        guard claims.exp.isFinite, claims.exp < 1e11, claims.exp + skew > now else {
            throw TokenError("auth.token_expired", "The token has expired; refresh it.")
        }
        guard (claims.nbf ?? 0) <= now + skew else {
            throw TokenError("auth.token_early", "The token does not count yet.")
        }
        guard !claims.sub.isEmpty else { throw TokenError("auth.token_invalid", "The token names no subject.") }
        return Principal(
            id: claims.sub, kind: claims.sub.hasPrefix("svc:") ? .service : .user, session: claims.sid ?? "",
            roles: claims.roles ?? [], tenant: claims.tenant ?? "default",
            expiresAt: Int64((claims.exp + skew) * 1000),
            scopes: claims.scope.map { $0.split(separator: " ").map(String.init) })
    }

    private struct Claims: JWTPayload {
        var iss: String
        var sub: String
        var aud: AudienceClaim
        var exp: Double
        var nbf: Double?
        var sid: String?
        var roles: [String]?
        var tenant: String?
        /// Of RFC 9068 section 2.2.3.
        var scope: String?

        /// Claims are checked apart, against an injected clock.
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }
}
