// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts
public import TheatrePlugin

/// What an authorization server sends back to where a sign-in began.
public struct OAuthAnswer: Sendable, Hashable {
    /// The authorization code.
    public var code: String
    /// As it was in the URL.
    public var state: String
    /// `iss` of RFC 9207, or empty.
    public var issuer: String

    /// An answer.
    public init(code: String, state: String, issuer: String = "") {
        self.code = code
        self.state = state
        self.issuer = issuer
    }
}

/// What an emulator does to the next identity token it makes.
public enum IdentityTokenFlaw: String, Sendable, Hashable, CaseIterable {
    /// It says `none` and has no signature.
    case unsigned
    /// Its HMAC has the public key for its secret.
    case confused
    /// Made by a key that nobody published, under the name of one that is.
    case otherKey
    /// A claim was changed after it was signed.
    case changed
    /// `aud` is another client.
    case otherAudience
    /// `aud` is us and another, which `azp` names.
    case otherParty
    /// `iss` is another issuer.
    case otherIssuer
    /// It lapsed five minutes ago.
    case lapsed
    /// It is issued five minutes from now.
    case early
    /// Its nonce is of another sign-in.
    case otherNonce
    /// It has no nonce.
    case noNonce
    /// It names nobody.
    case nobody
    /// `at_hash` is of another access token.
    case otherAccessToken
}

/// A provider of `theatre.auth.v1.Provider` of kind `oauth` in front of its emulator.
public struct OAuthSubject: Sendable {
    /// Calls of the provider in a tenant.
    public var client: @Sendable (_ tenant: String) -> AuthProviderClient
    /// A place that the provider may return to.
    public var redirectURI: String
    /// The provider sees that a code was got by another sign-in: PKCE, or a nonce.
    public var bindsCodes: Bool
    /// A person agrees at the emulator to what a URL asks for.
    public var approve: @Sendable (_ authorizeURL: String, _ person: String) async throws -> OAuthAnswer
    /// Moves the clock of provider and emulator.
    public var advance: @Sendable (_ milliseconds: UInt64) -> Void
    /// Sets up the emulator's next identity token; false where it makes none, or none with that flaw.
    public var flaw: @Sendable (IdentityTokenFlaw) -> Bool
    /// The emulator signs with a new key from now on, and publishes it; false where it signs nothing.
    public var rotate: @Sendable () -> Bool

    /// A provider to be tested.
    public init(
        redirectURI: String, bindsCodes: Bool = true,
        client: @escaping @Sendable (_ tenant: String) -> AuthProviderClient,
        advance: @escaping @Sendable (_ milliseconds: UInt64) -> Void,
        flaw: @escaping @Sendable (IdentityTokenFlaw) -> Bool = { _ in false },
        rotate: @escaping @Sendable () -> Bool = { false },
        approve: @escaping @Sendable (_ authorizeURL: String, _ person: String) async throws -> OAuthAnswer
    ) {
        self.client = client
        self.redirectURI = redirectURI
        self.bindsCodes = bindsCodes
        self.approve = approve
        self.advance = advance
        self.flaw = flaw
        self.rotate = rotate
    }

    /// A sign-in that is under way: its challenge, and what came back.
    struct Begun: Sendable {
        var challenge: String
        var expiresIn: UInt32
        var answer: OAuthAnswer

        func request(_ edit: (inout AuthVerifyRequest) -> Void = { _ in }) -> AuthVerifyRequest {
            var request = AuthVerifyRequest()
            request.challenge = challenge
            request.secret = answer.code
            request.state = answer.state
            request.issuer = answer.issuer
            edit(&request)
            return request
        }
    }

    func begin(_ person: String = "li", state: String = "a-state-of-the-caller", tenant: String = "one") async throws
        -> Begun
    {
        let start = try await client(tenant).start(
            .with {
                $0.redirectUri = redirectURI
                $0.state = state
            })
        try demand(!start.challenge.isEmpty && !start.authorizeURL.isEmpty, "A sign-in has no challenge or no URL.")
        try demand(start.expiresIn > 0, "A sign-in never lapses.")
        return Begun(
            challenge: start.challenge, expiresIn: start.expiresIn,
            answer: try await approve(start.authorizeURL, person))
    }

    func verify(_ request: AuthVerifyRequest, tenant: String = "one") async throws -> String {
        try await client(tenant).verify(request).subject
    }

    @discardableResult
    func isRefused(_ what: String, _ request: AuthVerifyRequest, tenant: String = "one") async throws -> PluginError {
        let error = try await refusal(what) { try await verify(request, tenant: tenant) }
        try demand(
            error.code == .unauthenticated && error.reason == "auth.refused",
            "\(what) is \(error.code) \(error.reason), not UNAUTHENTICATED auth.refused.")
        return error
    }
}
