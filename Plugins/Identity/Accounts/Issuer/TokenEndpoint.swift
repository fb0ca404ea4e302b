// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// The endpoints of OAuth 2.0 for programs: RFC 6749 section 3.2, RFC 7009, and what leads to them, RFC 8414.
extension Accounts {
    func oauth(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        switch request.route {
        case "/.well-known/openid-configuration": return try metadata()
        case "/oauth/token": break
        case "/oauth/revoke": break
        default: throw AccountsError.noPath()
        }
        guard let form = FormBody(request) else { return OAuthAnswer.error(400, "invalid_request") }
        return request.route == "/oauth/token" ? try await token(form, call) : try await revoke(form, call)
    }

    private func token(_ form: FormBody, _ call: Call) async throws -> HTTPResponse {
        switch form["grant_type"] {
        case "client_credentials": return try await clientToken(form, call)
        case "refresh_token":
            do {
                let session = try await refresh(.with { $0.refreshToken = form["refresh_token"] ?? "" }, call)
                return try OAuthAnswer.json(
                    OAuthAnswer.Token(
                        accessToken: session.accessToken, expiresIn: session.expiresIn,
                        refreshToken: session.refreshToken))
            } catch let error as PluginError where error.code == .unauthenticated || error.code == .permissionDenied {
                return OAuthAnswer.error(400, "invalid_grant")
            }
        case nil: return OAuthAnswer.error(400, "invalid_request")
        default: return OAuthAnswer.error(400, "unsupported_grant_type")
        }
    }

    private func clientToken(_ form: FormBody, _ call: Call) async throws -> HTTPResponse {
        guard let id = form["client_id"], let secret = form["client_secret"] else {
            return OAuthAnswer.error(401, "invalid_client")
        }
        guard let client = try await ClientStore(call).client(id),
            Digest.equal(client.hash, ClientStore.hash(secret))
        else { return OAuthAnswer.error(401, "invalid_client") }
        guard let scopes = Scopes.granted(form["scope"] ?? "", of: client.scopes) else {
            return OAuthAnswer.error(400, "invalid_scope")
        }
        guard try await ClientStore(call).use(client, at: host.now) else {
            return OAuthAnswer.error(401, "invalid_client")
        }
        let seconds = host.now / 1000
        let access = AccessToken(
            iss: configuration.issuer, aud: configuration.audience, sub: client.id, sid: client.session, iat: seconds,
            exp: seconds + configuration.accessSeconds, jti: ULID.next(prefix: "tok", at: host.now), roles: [],
            tenant: call.tenant.isEmpty ? "default" : call.tenant, clientID: client.id,
            scope: scopes.joined(separator: " "))
        return try OAuthAnswer.json(
            OAuthAnswer.Token(
                accessToken: try await access.signed(call), expiresIn: UInt32(clamping: configuration.accessSeconds),
                scope: access.scope))
    }

    /// Whoever holds a refresh token or a key may end it. What is none of ours is no error, RFC 7009 section 2.2.
    private func revoke(_ form: FormBody, _ call: Call) async throws -> HTTPResponse {
        guard let text = form["token"] else { return OAuthAnswer.error(400, "invalid_request") }
        let done = AccountsLogoutResponse()
        if let token = RefreshToken(text) {
            let store = SessionStore(call)
            if let id = try await store.session(of: token.hash), let owner = try await store.owner(of: id) {
                try await store.end(id, of: owner, at: host.now, cause: "revoked", answer: done)
            }
        } else if text.hasPrefix(KeyStore.prefix) {
            let store = KeyStore(call)
            if let holder = try await store.holder(KeyStore.hash(text), at: host.now) {
                try await store.end(holder.keyID, of: holder.principal, at: host.now, answer: done)
            }
        }
        return OAuthAnswer.empty()
    }

    private func metadata() throws -> HTTPResponse {
        let base = host.environment.publicURL
        return try OAuthAnswer.json(
            OAuthAnswer.Metadata(
                issuer: configuration.issuer, jwksURI: "\(base)/.well-known/jwks.json",
                tokenEndpoint: "\(base)/oauth/token", revocationEndpoint: "\(base)/oauth/revoke",
                grantTypesSupported: ["client_credentials", "refresh_token"],
                tokenEndpointAuthMethodsSupported: ["client_secret_post", "none"], responseTypesSupported: [],
                subjectTypesSupported: ["public"], idTokenSigningAlgValuesSupported: ["EdDSA", "ES256"]),
            cache: "public, max-age=\(KeySet.maxAge)")
    }
}
