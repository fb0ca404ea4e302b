// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SignIn
import TheatrePlugin

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct OIDCConfiguration: Decodable, Sendable {
    var issuer: String
    var clientID: String
    var clientAuthentication: ClientAuthentication
    var redirectURIs: [String]
    var audiences: [String]
    var scopes: String
    var algorithms: [SignatureAlgorithm]
    var challengeSeconds: Int64
    var timeoutMilliseconds: UInt32

    /// How the token endpoint knows us (OpenID Connect Core 1.0, section 9).
    enum ClientAuthentication: String, Decodable, Sendable {
        case basic = "client_secret_basic"
        case post = "client_secret_post"
        case signed = "private_key_jwt"
        case none
    }

    enum CodingKeys: String, CodingKey {
        case issuer, audiences, scopes, algorithms
        case clientID = "client_id"
        case clientAuthentication = "client_authentication"
        case redirectURIs = "redirect_uris"
        case challengeSeconds = "challenge_seconds"
        case timeoutMilliseconds = "timeout_ms"
    }

    /// Where the discovery document is.
    var discoveryURL: String {
        "\(issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer)/.well-known/openid-configuration"
    }

    /// Plain HTTP is for development: nothing else proves where keys come from.
    func check(development: Bool) throws {
        guard development || issuer.hasPrefix("https://") else { throw OIDCError.plainIssuer() }
    }
}
