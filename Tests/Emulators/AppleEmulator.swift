// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Sign in with Apple: key set, token endpoint and revocation, which take a client secret only as Apple's developers sign it.
public final class AppleEmulator: Sendable {
    /// What the next exchange of a code meets.
    public enum Fault: Sendable {
        /// The identity token has a flaw.
        case flaw(TokenFlaw)
        /// A status and a body; the code stays good.
        case status(Int, String)
        /// The code is used and the connection is cut.
        case cut
    }

    private struct Grant {
        var client: String
        var redirectURI: String
        var nonce: String
        var person: String
        var madeAt: Int64
    }

    private struct State {
        var signer: TokenSigner
        var published: [TokenSigner]
        var grants: [String: Grant] = [:]
        var refresh: [String: String] = [:]
        var revoked: [String] = []
        var faults: [Fault] = []
        var rotations = 0
        var number = 0
    }

    /// What it calls itself.
    public let issuer = "https://appleid.apple.com"
    private let teamID: String
    private let developer: TokenSigner
    private let servicesID: String
    private let bundleIDs: Set<String>
    private let redirectURI: String
    private let now: @Sendable () -> Int64
    private let state: Mutex<State>

    /// A team with one key, one Services ID and some apps.
    ///
    /// - Parameters:
    ///   - developer: its id is the Key ID.
    ///   - now: milliseconds since 1970.
    public init(
        teamID: String, developer: TokenSigner, servicesID: String, bundleIDs: Set<String>, redirectURI: String,
        now: @escaping @Sendable () -> Int64
    ) {
        self.teamID = teamID
        self.developer = developer
        self.servicesID = servicesID
        self.bundleIDs = bundleIDs
        self.redirectURI = redirectURI
        self.now = now
        let signer = TokenSigner(.rs256, id: "apple-0")
        state = Mutex(State(signer: signer, published: [signer]))
    }

    /// Queues faults for the token endpoint and the revocation.
    public func script(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// Refresh tokens that were revoked.
    public var revoked: [String] { state.withLock { $0.revoked } }
    /// The signer of now.
    public var signer: TokenSigner { state.withLock { $0.signer } }

    /// Signs with a new key, and publishes it beside the old one.
    public func rotate() {
        state.withLock { state in
            state.rotations += 1
            state.signer = TokenSigner(.rs256, id: "apple-\(state.rotations)", odd: state.rotations % 2 == 1)
            state.published.append(state.signer)
        }
    }

    /// A person agrees to what a URL asks for; nil for one that Apple's pages refuse.
    public func approve(_ url: String, as person: String) -> (code: String, state: String)? {
        let fields = FormFields(url: url)
        guard url.hasPrefix("\(issuer)/auth/authorize?"), fields["response_type"] == "code",
            fields["client_id"] == servicesID, fields["redirect_uri"] == redirectURI,
            // Where a name or an address is asked for, Apple answers with a form only.
            fields["scope"].isEmpty || fields["response_mode"] == "form_post"
        else { return nil }
        let code = code(
            for: person, client: servicesID, redirectURI: redirectURI, nonce: fields["nonce"])
        return (code, fields["state"])
    }

    /// What an app on a device gets: an identity token, and a code.
    public func authorize(
        _ person: String, bundle: String, nonce: String, flaw: TokenFlaw? = nil
    ) throws -> (token: String, code: String) {
        let claims = claims(person, audience: bundle, nonce: nonce)
        let token = try flaw?.token(claims, by: signer, at: now() / 1000) ?? signer.token(claims)
        return (token, code(for: person, client: bundle, redirectURI: "", nonce: nonce))
    }

    /// The answer to a request.
    public func respond(to request: EmulatorRequest) -> EmulatorAnswer {
        let form = FormFields(String(decoding: request.body, as: UTF8.self))
        do {
            switch (request.method, request.path) {
            case ("GET", "/auth/keys"):
                return try .json(200, ["keys": state.withLock { $0.published.map(\.jwk) }])
            case ("POST", "/auth/token"): return try token(form)
            case ("POST", "/auth/revoke"): return try revoke(form)
            default: return EmulatorAnswer(404, [], "")
            }
        } catch { return EmulatorAnswer(500, [], "the emulator failed: \(error)") }
    }

    private func token(_ form: FormFields) throws -> EmulatorAnswer {
        guard isClient(form) else { return try .json(400, ["error": "invalid_client"]) }
        guard form["grant_type"] == "authorization_code" else {
            return try .json(400, ["error": "unsupported_grant_type"])
        }
        let fault = state.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
        if case .status(let status, let body)? = fault { return EmulatorAnswer(status, [], body) }
        let grant = state.withLock { $0.grants.removeValue(forKey: form["code"]) }
        guard let grant, grant.client == form["client_id"], grant.redirectURI == form["redirect_uri"],
            now() - grant.madeAt < 300_000
        else { return try .json(400, ["error": "invalid_grant"]) }
        if case .cut? = fault { return .cut }
        let claims = claims(grant.person, audience: grant.client, nonce: grant.nonce)
        var text = try signer.token(claims)
        if case .flaw(let flaw)? = fault { text = try flaw.token(claims, by: signer, at: now() / 1000) }
        let refresh = "refresh-\(form["code"])"
        state.withLock { $0.refresh[refresh] = grant.client }
        return try .json(
            200,
            [
                "access_token": "access-\(form["code"])", "token_type": "Bearer", "expires_in": 3600,
                "refresh_token": refresh, "id_token": text,
            ])
    }

    private func revoke(_ form: FormFields) throws -> EmulatorAnswer {
        guard isClient(form) else { return try .json(400, ["error": "invalid_client"]) }
        let fault = state.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
        if case .status(let status, let body)? = fault { return EmulatorAnswer(status, [], body) }
        return try state.withLock { state in
            guard state.refresh[form["token"]] == form["client_id"], form["token_type_hint"] == "refresh_token" else {
                return try .json(400, ["error": "invalid_grant"])
            }
            state.refresh[form["token"]] = nil
            state.revoked.append(form["token"])
            return EmulatorAnswer(200, [], "")
        }
    }

    private func isClient(_ form: FormFields) -> Bool {
        let client = form["client_id"]
        guard client == servicesID || bundleIDs.contains(client),
            let claims = developer.claims(ofOwn: form["client_secret"]), claims["iss"] as? String == teamID,
            claims["sub"] as? String == client, claims["aud"] as? String == issuer,
            let issued = claims["iat"] as? Int64, let expiry = claims["exp"] as? Int64
        else { return false }
        let seconds = now() / 1000
        return issued <= seconds + 60 && expiry > seconds && expiry <= issued + 15_777_000
    }

    private func code(for person: String, client: String, redirectURI: String, nonce: String) -> String {
        state.withLock { state in
            state.number += 1
            let code = "c\(state.number).0.apple"
            state.grants[code] = Grant(
                client: client, redirectURI: redirectURI, nonce: nonce, person: person, madeAt: now())
            return code
        }
    }

    /// Truths as texts, as Apple writes some of them.
    private func claims(_ person: String, audience: String, nonce: String) -> [String: Any] {
        let seconds = now() / 1000
        return [
            "iss": issuer, "aud": audience, "sub": "000123.\(person).0456", "iat": seconds, "exp": seconds + 86_400,
            "nonce": nonce, "nonce_supported": true, "email": "\(person)@privaterelay.appleid.com",
            "email_verified": "true", "is_private_email": "true", "auth_time": seconds,
        ]
    }
}
