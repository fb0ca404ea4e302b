// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SignIn
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// Sign-in with an OpenID Connect issuer: authorization code with PKCE, or an identity token that a device asked for.
final class OIDC: Plugin, AuthProviderContract {
    static var operations: [Operation<OIDC>] { authProviderOperations }

    private let host: PluginHost
    private let configuration: OIDCConfiguration
    private let metadata = Refreshed<IssuerMetadata>()
    private let keys = PublishedKeys()

    init(_ host: PluginHost, _ configuration: OIDCConfiguration) throws {
        try configuration.check(development: host.environment.development)
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws { try await ChallengeStore(host, feature: "oidc.storage").migrate() }

    func start(_ request: AuthStartRequest, _ call: Call) async throws -> AuthStartResponse {
        guard request.redirectUri.isEmpty || configuration.redirectURIs.contains(request.redirectUri) else {
            throw SignInError.redirect()
        }
        let challenge = Challenge()
        let state = request.state.isEmpty ? challenge.state : request.state
        let issuer = request.redirectUri.isEmpty ? nil : try await issuerMetadata(call)
        let now = host.now
        try await ChallengeStore(call, feature: "oidc.storage").begin(
            challenge, .init(redirectURI: request.redirectUri, state: state),
            until: now + configuration.challengeSeconds * 1000, at: now)
        return .with {
            $0.challenge = challenge.text
            $0.expiresIn = UInt32(clamping: configuration.challengeSeconds)
            $0.nonce = challenge.nonce
            guard let issuer else { return }
            $0.authorizeURL = Form.append(
                [
                    ("response_type", "code"), ("client_id", configuration.clientID),
                    ("redirect_uri", request.redirectUri), ("scope", configuration.scopes), ("state", state),
                    ("nonce", challenge.nonce), ("code_challenge", challenge.codeChallenge),
                    ("code_challenge_method", "S256"),
                ], to: issuer.authorizationEndpoint)
        }
    }

    func verify(_ request: AuthVerifyRequest, _ call: Call) async throws -> AuthVerifyResponse {
        guard let challenge = Challenge(request.challenge),
            let begun = try await ChallengeStore(call, feature: "oidc.storage").end(challenge, at: host.now)
        else { throw refused("challenge") }
        // Whoever began with a redirect ends with one: else a token of anywhere would do in place of its code.
        let isRedirect = !begun.redirectURI.isEmpty
        guard isRedirect ? request.identityToken.isEmpty && !request.secret.isEmpty : !request.identityToken.isEmpty
        else { throw refused("kind of proof") }
        var rules = IdentityTokenRules(
            issuer: configuration.issuer, audiences: [configuration.clientID], nonce: challenge.nonce)
        let issuer = try await issuerMetadata(call)
        var text = request.identityToken
        if isRedirect {
            guard begun.isAnswered(by: request.state) else { throw refused("state") }
            // Mix-up: an answer of another issuer must not have its code sent to this one, nor the other way round.
            guard request.issuer.isEmpty ? !issuer.namesItself : request.issuer == configuration.issuer else {
                throw refused("issuer of the answer")
            }
            let answer = try await exchange(request.secret, begun, challenge, issuer, call)
            (text, rules.accessToken) = (answer.identityToken, answer.accessToken)
        } else {
            rules.audiences.formUnion(configuration.audiences)
        }
        return try await identity(text, rules, issuer, call)
    }

    /// Nothing is kept of a person here.
    func remove(_ request: AuthRemoveRequest, _ call: Call) async throws -> AuthRemoveResponse { AuthRemoveResponse() }

    private func exchange(
        _ code: String, _ begun: ChallengeStore.Begun, _ challenge: Challenge, _ issuer: IssuerMetadata, _ call: Call
    ) async throws -> TokenAnswer {
        let proof = try await ClientProof(configuration, endpoint: issuer.tokenEndpoint, at: host.now, call)
        let fields = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", begun.redirectURI),
            ("code_verifier", challenge.codeVerifier),
        ]
        return try TokenAnswer(await http(call).post(issuer.tokenEndpoint, fields + proof.fields, proof.headers))
    }

    private func identity(
        _ text: String, _ rules: IdentityTokenRules, _ issuer: IssuerMetadata, _ call: Call
    ) async throws -> AuthVerifyResponse {
        guard let token = SignedToken(compact: text) else { throw refused("form of the token") }
        let now = host.now
        guard
            try await keys.verify(
                token, Set(configuration.algorithms), from: issuer.keySetURL, http(call), at: now)
        else { throw refused("signature") }
        if let fault = rules.fault(token, at: now) { throw refused(fault) }
        return .with {
            $0.subject = Self.subject(token.claims["sub"]?.string ?? "", of: configuration.issuer)
            $0.claims = IdentityClaims.vouched(token.claims)
        }
    }

    /// Names are an issuer's own: another issuer in the configuration must not make its people ours.
    static func subject(_ name: String, of issuer: String) -> String {
        "\(Base64URL.encode(Digest.sha256(issuer.utf8).prefix(9))).\(name)"
    }

    private func issuerMetadata(_ call: Call) async throws -> IssuerMetadata {
        try await metadata.value(at: host.now) {
            let response = try await http(call).get(configuration.discoveryURL)
            guard response.status == 200 else {
                throw SignInError.unreachable("its discovery document answers \(response.status)")
            }
            guard let members = response.members else {
                throw SignInError.misconfigured("there is no discovery document at the issuer")
            }
            return (try IssuerMetadata(members, issuer: configuration.issuer), response.freshMilliseconds)
        }
    }

    private func http(_ call: Call) -> OutsideHTTP {
        OutsideHTTP(call, timeoutMilliseconds: configuration.timeoutMilliseconds)
    }

    /// The caller learns no more than that; the log does.
    private func refused(_ fault: String) -> PluginError {
        host.log.debug("a sign-in was refused", ["auth.fault": fault])
        return SignInError.refused()
    }
}
