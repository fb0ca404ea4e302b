// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What a token is and whether it counts, RFC 7662: for services, as the database knows it at this moment.
extension Accounts {
    /// What a service needs among its scopes to ask.
    private static let scopes: Set = ["*", "token:*", "token:introspect"]

    func introspect(_ form: FormBody, _ client: ClientStore.Stored?, _ call: Call) async throws -> HTTPResponse {
        guard let client else { return OAuthAnswer.invalidClient() }
        guard !Self.scopes.isDisjoint(with: client.scopes) else { return OAuthAnswer.error(403, "insufficient_scope") }
        guard let text = form["token"] else { return OAuthAnswer.error(400, "invalid_request") }
        let found: OAuthAnswer.Introspection?
        if text.hasPrefix(KeyStore.prefix) {
            found = try await introspect(key: text, call)
        } else if let token = RefreshToken(text) {
            found = try await introspect(refresh: token, call)
        } else {
            found = try await introspect(access: text, call)
        }
        // Whatever is wrong with it: section 2.2.
        return try OAuthAnswer.json(found ?? OAuthAnswer.Introspection(active: false))
    }

    private func introspect(key text: String, _ call: Call) async throws -> OAuthAnswer.Introspection? {
        guard let holder = try await KeyStore(call).holder(KeyStore.hash(text), at: host.now) else { return nil }
        return OAuthAnswer.Introspection(
            active: true, tokenType: "Bearer", sub: holder.principal, scope: holder.scopes.joined(separator: " "),
            exp: holder.expiresAt / 1000, iss: configuration.issuer, jti: holder.keyID)
    }

    private func introspect(refresh token: RefreshToken, _ call: Call) async throws -> OAuthAnswer.Introspection? {
        let store = SessionStore(call), limits = configuration.limits
        guard let id = try await store.session(of: token.hash), let session = try await store.session(id),
            session.chain.current == token.hash, session.chain.isAlive(at: host.now, limits),
            try await isWelcome(session.account, call)
        else { return nil }
        let end = min(session.chain.usedAt + limits.idle, session.chain.createdAt + limits.absolute)
        return OAuthAnswer.Introspection(
            active: true, tokenType: "refresh_token", sub: session.account, exp: end / 1000,
            iat: session.chain.rotatedAt / 1000, iss: configuration.issuer, sid: session.id)
    }

    private func introspect(access text: String, _ call: Call) async throws -> OAuthAnswer.Introspection? {
        let seconds = host.now / 1000
        guard let claims = try await AccessToken.verified(text, call), claims.iss == configuration.issuer,
            claims.aud == configuration.audience, claims.exp > seconds,
            claims.tenant == (call.tenant.isEmpty ? "default" : call.tenant)
        else { return nil }
        if claims.sub.hasPrefix("svc:") {
            guard let client = try await ClientStore(call).client(claims.sub), client.session == claims.sid else {
                return nil
            }
        } else {
            guard let session = try await SessionStore(call).session(claims.sid), session.account == claims.sub,
                session.chain.revokedAt == nil, try await isWelcome(claims.sub, call)
            else { return nil }
        }
        return OAuthAnswer.Introspection(
            active: true, tokenType: "Bearer", sub: claims.sub, scope: claims.scope, clientID: claims.clientID,
            exp: claims.exp, iat: claims.iat, iss: claims.iss, aud: claims.aud, jti: claims.jti, sid: claims.sid)
    }

    /// The account is there and not shut out.
    private func isWelcome(_ account: String, _ call: Call) async throws -> Bool {
        guard try await AccountsStore(call).account(account) != nil else { return false }
        return try await BanStore(call).ban(of: account, at: host.now) == nil
    }
}

extension AccessToken {
    private struct ReadHeader: Decodable {
        var alg: String
        var kid: String
        var typ: String
    }

    /// The claims of a token that a version of the key `session` made, old ones too; nil for any other. Whether they
    /// count is not looked at.
    static func verified(_ text: String, _ call: Call) async throws -> AccessToken? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = Base64URL.decode(parts[2]),
            let header: ReadHeader = part(parts[0]), header.typ == "at+jwt", let claims: AccessToken = part(parts[1])
        else { return nil }
        let keys = HostKeysClient(call)
        let versions = try await keys.publicKeys(.with { $0.key = "session" }).keys
        // The algorithm is the key's, whatever the token says.
        guard versions.contains(where: { $0.keyID == header.kid && $0.algorithm == header.alg }) else { return nil }
        let input = Data("\(parts[0]).\(parts[1])".utf8)
        let answer = try await keys.verify(
            .with {
                $0.key = "session"
                $0.keyID = header.kid
                $0.data = input
                $0.signature = signature
            })
        return answer.valid ? claims : nil
    }

    private static func part<Value: Decodable>(_ text: Substring) -> Value? {
        guard let bytes = Base64URL.decode(text) else { return nil }
        do { return try JSONDecoder().decode(Value.self, from: bytes) } catch {
            // Somebody else's, or nothing at all.
            return nil
        }
    }
}
