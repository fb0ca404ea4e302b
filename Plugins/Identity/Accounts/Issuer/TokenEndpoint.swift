// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// The endpoints of OAuth 2.0 for programs: RFC 6749 section 3.2, RFC 7009, RFC 7662, and what leads to them, RFC
/// 8414.
extension Accounts {
    func oauth(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        switch request.route {
        case "/.well-known/openid-configuration": return try metadata()
        case "/oauth/token", "/oauth/revoke", "/oauth/introspect": break
        default: throw AccountsError.noPath()
        }
        guard let form = FormBody(request), let claim = ClientClaim(request, form) else {
            return OAuthAnswer.error(400, "invalid_request")
        }
        let client: ClientStore.Stored?
        if case .secret(let id, let secret) = claim {
            // Who says who he is proves it, also where nobody has to.
            guard let known = try await ClientStore(call).client(id), Digest.equal(known.hash, ClientStore.hash(secret))
            else { return OAuthAnswer.invalidClient() }
            client = known
        } else {
            client = nil
        }
        switch request.route {
        case "/oauth/token": return try await token(form, client, call)
        case "/oauth/revoke": return try await revoke(form, call)
        default: return try await introspect(form, client, call)
        }
    }

    private func token(_ form: FormBody, _ client: ClientStore.Stored?, _ call: Call) async throws -> HTTPResponse {
        switch form["grant_type"] {
        case "client_credentials": return try await clientToken(form, client, call)
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

    private func clientToken(
        _ form: FormBody, _ client: ClientStore.Stored?, _ call: Call
    ) async throws -> HTTPResponse {
        guard let client else { return OAuthAnswer.invalidClient() }
        guard let scopes = Scopes.granted(form["scope"] ?? "", of: client.scopes) else {
            return OAuthAnswer.error(400, "invalid_scope")
        }
        guard try await ClientStore(call).use(client, at: host.now) else {
            return OAuthAnswer.invalidClient()
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
        let proofs = ["client_secret_basic", "client_secret_post"]
        return try OAuthAnswer.json(
            OAuthAnswer.Metadata(
                issuer: configuration.issuer, jwksURI: "\(base)/.well-known/jwks.json",
                tokenEndpoint: "\(base)/oauth/token", revocationEndpoint: "\(base)/oauth/revoke",
                introspectionEndpoint: "\(base)/oauth/introspect",
                grantTypesSupported: ["client_credentials", "refresh_token"],
                tokenEndpointAuthMethodsSupported: proofs + ["none"],
                revocationEndpointAuthMethodsSupported: proofs + ["none"],
                introspectionEndpointAuthMethodsSupported: proofs, responseTypesSupported: [],
                subjectTypesSupported: ["public"], idTokenSigningAlgValuesSupported: ["EdDSA", "ES256"]),
            cache: "public, max-age=\(KeySet.maxAge)")
    }
}
