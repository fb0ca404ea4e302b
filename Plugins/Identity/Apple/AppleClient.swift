// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SignIn
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// Apple's endpoints, as one of our clients.
struct AppleClient {
    let configuration: AppleConfiguration
    let now: Int64
    let call: Call

    private var http: OutsideHTTP { OutsideHTTP(call, timeoutMilliseconds: configuration.timeoutMilliseconds) }

    /// What a code is good for. Sent once: a code whose answer was lost may be used up.
    ///
    /// - Parameter redirectURI: of the web; empty for a device's code.
    func exchange(_ code: String, redirectURI: String, as client: String) async throws -> TokenAnswer {
        var fields = [
            ("client_id", client), ("client_secret", try await secret(client)), ("code", code),
            ("grant_type", "authorization_code"),
        ]
        if !redirectURI.isEmpty { fields.append(("redirect_uri", redirectURI)) }
        return try TokenAnswer(await http.post("\(configuration.baseURL)/auth/token", fields))
    }

    /// Takes back what a person granted; one that is gone already is no error.
    func revoke(_ refreshToken: String, as client: String) async throws {
        let response = try await http.post(
            "\(configuration.baseURL)/auth/revoke",
            [
                ("client_id", client), ("client_secret", try await secret(client)), ("token", refreshToken),
                ("token_type_hint", "refresh_token"),
            ])
        switch response.status {
        case 200: return
        case 400 where response.members?["error"]?.string == "invalid_grant": return
        case 429: throw SignInError.throttled(milliseconds: 5000)
        case 500...: throw SignInError.unreachable("the revocation answers \(response.status)")
        default: throw SignInError.misconfigured("the revocation answers \(response.status)")
        }
    }

    /// Whether Apple made a token.
    func verify(_ token: SignedToken, _ keys: PublishedKeys) async throws -> Bool {
        try await keys.verify(token, [.rs256], from: "\(configuration.baseURL)/auth/keys", http, at: now)
    }

    /// A short-lived token of ours, signed by the host, is what Apple takes for a secret.
    private func secret(_ client: String) async throws -> String {
        try await HostSignedToken.make(
            key: "client", keyID: configuration.keyID,
            claims: [
                "iss": .string(configuration.teamID), "iat": .integer(now / 1000), "exp": .integer(now / 1000 + 300),
                "aud": .string(configuration.baseURL), "sub": .string(client),
            ], call)
    }
}
