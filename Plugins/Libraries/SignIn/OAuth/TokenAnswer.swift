// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// What a token endpoint gave for a code (RFC 6749, section 5).
public struct TokenAnswer: Sendable {
    /// May be empty where the other side gives none.
    public let accessToken: String
    /// May be empty.
    public let refreshToken: String
    /// Of OpenID Connect; may be empty.
    public let identityToken: String

    /// Reads an answer.
    ///
    /// - Throws: `auth.refused` where the code is what is wrong, `auth.misconfigured` where we are, `auth.throttled`,
    ///   `auth.unreachable`.
    public init(_ response: HostFetchResponse) throws {
        let members = response.members
        switch response.status {
        case 200:
            guard let members else { throw SignInError.misconfigured("the token endpoint answers without JSON") }
            accessToken = members["access_token"]?.string ?? ""
            refreshToken = members["refresh_token"]?.string ?? ""
            identityToken = members["id_token"]?.string ?? ""
        case 429: throw SignInError.throttled(milliseconds: 5000)
        case 500...: throw SignInError.unreachable("the token endpoint answers \(response.status)")
        default:
            let code = members?["error"]?.string ?? ""
            // Of the codes of RFC 6749 5.2 only this one is about the code.
            guard code != "invalid_grant" else { throw SignInError.refused() }
            let known = ["invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type"]
            throw SignInError.misconfigured(
                "the token endpoint answers \(response.status) \(known.contains(code) ? code : "")")
        }
    }
}
