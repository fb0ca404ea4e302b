// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SignIn
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// Sign in with Apple: an identity token that a device got, or the code of a redirect.
final class Apple: Plugin, AuthProviderContract {
    static var operations: [Operation<Apple>] { authProviderOperations }

    private let host: PluginHost
    private let configuration: AppleConfiguration
    private let keys = PublishedKeys()

    init(_ host: PluginHost, _ configuration: AppleConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws {
        try await Database(host, feature: "apple.storage").migrate(ChallengeStore.migrations + AppleGrants.migrations)
    }

    func start(_ request: AuthStartRequest, _ call: Call) async throws -> AuthStartResponse {
        let isRedirect = !request.redirectUri.isEmpty
        guard !isRedirect || configuration.returns(to: request.redirectUri) else { throw SignInError.redirect() }
        let challenge = Challenge()
        let state = request.state.isEmpty ? challenge.state : request.state
        let now = host.now
        try await ChallengeStore(call, feature: "apple.storage").begin(
            challenge, .init(redirectURI: request.redirectUri, state: state),
            until: now + configuration.challengeSeconds * 1000, at: now)
        return .with {
            $0.challenge = challenge.text
            $0.expiresIn = UInt32(clamping: configuration.challengeSeconds)
            $0.nonce = challenge.nonce
            guard isRedirect else { return }
            $0.authorizeURL = Form.append(
                [
                    ("response_type", "code"), ("response_mode", "form_post"), ("client_id", configuration.servicesID),
                    ("redirect_uri", request.redirectUri), ("scope", "name email"), ("state", state),
                    ("nonce", Self.sent(challenge.nonce)),
                ], to: "\(configuration.baseURL)/auth/authorize")
        }
    }

    func verify(_ request: AuthVerifyRequest, _ call: Call) async throws -> AuthVerifyResponse {
        guard let challenge = Challenge(request.challenge),
            let begun = try await ChallengeStore(call, feature: "apple.storage").end(challenge, at: host.now)
        else { throw refused("challenge") }
        guard request.issuer.isEmpty || request.issuer == configuration.baseURL else {
            throw refused("issuer of the answer")
        }
        let client = AppleClient(configuration: configuration, now: host.now, call: call)
        let rules = IdentityTokenRules(
            issuer: configuration.baseURL, audiences: Set(configuration.bundleIDs),
            nonce: Self.sent(challenge.nonce))
        return begun.redirectURI.isEmpty
            ? try await verifyDevice(request, rules, client, call)
            : try await verifyRedirect(request, begun, rules, client, call)
    }

    /// Takes back what the person granted, as Apple asks of whoever deletes an account.
    func remove(_ request: AuthRemoveRequest, _ call: Call) async throws -> AuthRemoveResponse {
        let grants = AppleGrants(call)
        if let (token, client) = try await grants.token(of: request.subject) {
            try await AppleClient(configuration: configuration, now: host.now, call: call).revoke(token, as: client)
        }
        try await grants.forget(request.subject)
        return AuthRemoveResponse()
    }

    private func verifyDevice(
        _ request: AuthVerifyRequest, _ rules: IdentityTokenRules, _ client: AppleClient, _ call: Call
    ) async throws -> AuthVerifyResponse {
        let token = try await identity(request.identityToken, rules, client)
        let response = response(token)
        // The code that comes beside it is what a grant can be revoked by later.
        if !request.secret.isEmpty, let bundle = token.claims["aud"]?.string {
            let answer = try await client.exchange(request.secret, redirectURI: "", as: bundle)
            try await keep(answer, of: response.subject, as: bundle, rules, client, call)
        }
        return response
    }

    private func verifyRedirect(
        _ request: AuthVerifyRequest, _ begun: ChallengeStore.Begun, _ rules: IdentityTokenRules, _ client: AppleClient,
        _ call: Call
    ) async throws -> AuthVerifyResponse {
        guard begun.isAnswered(by: request.state) else { throw refused("state") }
        guard !request.secret.isEmpty, request.identityToken.isEmpty else { throw refused("kind of proof") }
        var rules = rules
        rules.audiences = [configuration.servicesID]
        let answer = try await client.exchange(
            request.secret, redirectURI: begun.redirectURI, as: configuration.servicesID)
        rules.accessToken = answer.accessToken
        let response = response(try await identity(answer.identityToken, rules, client))
        if !answer.refreshToken.isEmpty {
            try await AppleGrants(call).keep(
                answer.refreshToken, of: response.subject, client: configuration.servicesID, at: host.now)
        }
        return response
    }

    /// Keeps a grant, once it is clear that it is the same person's: a code may be anybody's.
    private func keep(
        _ answer: TokenAnswer, of subject: String, as bundle: String, _ rules: IdentityTokenRules,
        _ client: AppleClient, _ call: Call
    ) async throws {
        var rules = rules
        rules.audiences = [bundle]
        // The device's own token proved this sign-in; this one only tells whose the code is.
        rules.nonce = nil
        let token = try await identity(answer.identityToken, rules, client)
        guard response(token).subject == subject else { throw refused("code of another person") }
        guard !answer.refreshToken.isEmpty else { return }
        try await AppleGrants(call).keep(answer.refreshToken, of: subject, client: bundle, at: host.now)
    }

    private func identity(
        _ text: String, _ rules: IdentityTokenRules, _ client: AppleClient
    ) async throws -> SignedToken {
        guard let token = SignedToken(compact: text) else { throw refused("form of the token") }
        guard try await client.verify(token, keys) else { throw refused("signature") }
        if let fault = rules.fault(token, at: host.now) { throw refused(fault) }
        return token
    }

    /// People are a team's: another team in the configuration must not make them ours.
    private func response(_ token: SignedToken) -> AuthVerifyResponse {
        .with {
            $0.subject = "\(configuration.teamID).\(token.claims["sub"]?.string ?? "")"
            $0.claims = IdentityClaims.vouched(token.claims)
            if IdentityClaims.isTrue(token.claims["is_private_email"]) { $0.claims["is_private_email"] = "true" }
        }
    }

    /// What Apple is sent for a nonce, and repeats.
    private static func sent(_ nonce: String) -> String { Hex.encode(Digest.sha256(nonce.utf8)) }

    /// The caller learns no more than that; the log does.
    private func refused(_ fault: String) -> PluginError {
        host.log.debug("a sign-in was refused", ["auth.fault": fault])
        return SignInError.refused()
    }
}
