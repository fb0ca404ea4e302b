// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Synchronization

/// An OpenID Connect issuer: discovery, key set, and a token endpoint that checks client, code, redirect and PKCE.
public final class OIDCEmulator: Sendable {
    /// How the token endpoint knows its client.
    public enum Client: Sendable {
        /// Id and secret in the Authorization field.
        case basic(secret: String)
        /// Id and secret in the form.
        case post(secret: String)
        /// An assertion of this ES256 key.
        case signed(TokenSigner)
        /// PKCE alone.
        case open
    }

    /// What the next request of a kind meets.
    public enum Fault: Sendable {
        /// The next token has a flaw.
        case flaw(TokenFlaw)
        /// A status and a body instead of an answer; the code stays good.
        case status(Int, String)
        /// The code is used and the connection is cut.
        case cut
    }

    private struct Grant {
        var redirectURI: String
        var nonce: String
        var codeChallenge: String
        var person: String
    }

    private struct State {
        var signer: TokenSigner
        var published: [TokenSigner]
        var grants: [String: Grant] = [:]
        var assertions: Set<String> = []
        var faults: [Fault] = []
        var requests: [String: Int] = [:]
        var rotations = 0
        var number = 0
    }

    /// Its name and where it is.
    public let issuer: String
    private let clientID: String
    private let client: Client
    private let redirectURI: String
    private let now: @Sendable () -> Int64
    private let state: Mutex<State>

    /// An issuer with one client.
    ///
    /// - Parameter now: milliseconds since 1970.
    public init(
        issuer: String, clientID: String, client: Client, redirectURI: String, kind: TokenSigner.Kind = .es256,
        now: @escaping @Sendable () -> Int64
    ) {
        self.issuer = issuer
        self.clientID = clientID
        self.client = client
        self.redirectURI = redirectURI
        self.now = now
        let signer = TokenSigner(kind, id: "key-0")
        state = Mutex(State(signer: signer, published: [signer]))
    }

    /// Queues faults for the token endpoint.
    public func script(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// How often a path was asked for.
    public func requests(_ path: String) -> Int { state.withLock { $0.requests[path] ?? 0 } }

    /// Signs with a new key, and publishes it beside the old one.
    public func rotate() {
        state.withLock { state in
            state.rotations += 1
            state.signer = TokenSigner(state.signer.kind, id: "key-\(state.rotations)", odd: state.rotations % 2 == 1)
            state.published.append(state.signer)
        }
    }

    /// A person agrees to what a URL asks for: the fields that come back, or nil for a URL that the issuer refuses.
    public func approve(_ url: String, as person: String) -> (code: String, state: String, issuer: String)? {
        let fields = FormFields(url: url)
        guard url.hasPrefix("\(issuer)/authorize?"), fields["response_type"] == "code", fields["client_id"] == clientID,
            fields["redirect_uri"] == redirectURI, fields["scope"].split(separator: " ").contains("openid"),
            fields["code_challenge_method"] == "S256", fields["code_challenge"].utf8.count == 43,
            !fields["state"].isEmpty
        else { return nil }
        let code = state.withLock { state in
            state.number += 1
            let code = "code-\(state.number)"
            state.grants[code] = Grant(
                redirectURI: fields["redirect_uri"], nonce: fields["nonce"], codeChallenge: fields["code_challenge"],
                person: person)
            return code
        }
        return (code, fields["state"], issuer)
    }

    /// An identity token as a device's own sign-in gets it.
    public func identityToken(for person: String, audience: String, nonce: String) throws -> String {
        try state.withLock { $0.signer }.token(claims(person, audience: audience, nonce: nonce))
    }

    /// The answer to a request.
    public func respond(to request: EmulatorRequest) -> EmulatorAnswer {
        let prefix = URL(string: issuer)?.path ?? ""
        guard request.path.hasPrefix(prefix) else { return EmulatorAnswer(404, [], "no such path") }
        let path = String(request.path.dropFirst(prefix == "/" ? 0 : prefix.count))
        state.withLock { $0.requests[path, default: 0] += 1 }
        do {
            switch (request.method, path) {
            case ("GET", "/.well-known/openid-configuration"):
                return try .json(
                    200,
                    [
                        "issuer": issuer, "authorization_endpoint": "\(issuer)/authorize",
                        "token_endpoint": "\(issuer)/token", "jwks_uri": "\(issuer)/keys",
                        "response_types_supported": ["code"], "subject_types_supported": ["public"],
                        "authorization_response_iss_parameter_supported": true,
                    ])
            case ("GET", "/keys"):
                return try .json(200, ["keys": state.withLock { $0.published.map(\.jwk) }])
            case ("POST", "/token"): return try token(request)
            default: return EmulatorAnswer(404, [], "no such path")
            }
        } catch { return EmulatorAnswer(500, [], "the emulator failed: \(error)") }
    }

    private func token(_ request: EmulatorRequest) throws -> EmulatorAnswer {
        let form = FormFields(String(decoding: request.body, as: UTF8.self))
        guard request.field("content-type") == "application/x-www-form-urlencoded" else {
            return try refusal(400, "invalid_request")
        }
        guard isClient(request, form) else { return try refusal(401, "invalid_client") }
        guard form["grant_type"] == "authorization_code" else { return try refusal(400, "unsupported_grant_type") }
        let fault = state.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
        if case .status(let status, let body)? = fault { return EmulatorAnswer(status, [], body) }
        let grant = state.withLock { $0.grants.removeValue(forKey: form["code"]) }
        let digest = TokenSigner.text(Data(SHA256.hash(data: Data(form["code_verifier"].utf8))))
        guard let grant, grant.redirectURI == form["redirect_uri"], grant.codeChallenge == digest else {
            return try refusal(400, "invalid_grant")
        }
        if case .cut? = fault { return .cut }
        let access = "access-\(form["code"])"
        var claims = claims(grant.person, audience: clientID, nonce: grant.nonce)
        let signer = state.withLock { $0.signer }
        claims["at_hash"] = Self.accessTokenHash(access, signer.kind)
        var text = try signer.token(claims)
        if case .flaw(let flaw)? = fault { text = try flaw.token(claims, by: signer, at: now() / 1000) }
        return try .json(
            200, ["access_token": access, "token_type": "Bearer", "expires_in": 3600, "id_token": text])
    }

    private func claims(_ person: String, audience: String, nonce: String) -> [String: Any] {
        let seconds = now() / 1000
        return [
            "iss": issuer, "aud": audience, "sub": "person-\(person)", "iat": seconds, "exp": seconds + 600,
            "nonce": nonce, "email": "\(person)@example.org", "email_verified": true, "name": person,
        ]
    }

    private static func accessTokenHash(_ access: String, _ kind: TokenSigner.Kind) -> String {
        let data = Data(access.utf8)
        return kind == .edDSA
            ? TokenSigner.text(Data(SHA512.hash(data: data)).prefix(32))
            : TokenSigner.text(Data(SHA256.hash(data: data)).prefix(16))
    }

    private func isClient(_ request: EmulatorRequest, _ form: FormFields) -> Bool {
        switch client {
        case .open: return form["client_id"] == clientID
        case .post(let secret): return form["client_id"] == clientID && form["client_secret"] == secret
        case .basic(let secret):
            guard let field = request.field("authorization"), field.hasPrefix("Basic "),
                let data = Data(base64Encoded: String(field.dropFirst(6)))
            else { return false }
            let parts = String(decoding: data, as: UTF8.self).split(separator: ":", maxSplits: 1)
            return parts.map { FormFields.decoded($0) } == [clientID, secret]
        case .signed(let key): return isAssertion(form, key)
        }
    }

    private func isAssertion(_ form: FormFields, _ key: TokenSigner) -> Bool {
        guard form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            let claims = key.claims(ofOwn: form["client_assertion"]), claims["iss"] as? String == clientID,
            claims["sub"] as? String == clientID, claims["aud"] as? String == "\(issuer)/token",
            let expiry = claims["exp"] as? Int64, let id = claims["jti"] as? String
        else { return false }
        let seconds = now() / 1000
        guard expiry > seconds, expiry <= seconds + 300 else { return false }
        return state.withLock { $0.assertions.insert(id).inserted }
    }

    private func refusal(_ status: Int, _ code: String) throws -> EmulatorAnswer {
        try .json(status, ["error": code])
    }
}
