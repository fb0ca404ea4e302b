// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SignIn
import TheatreManifest
import TheatrePlugin

/// What is used of an issuer's discovery document (OpenID Connect Discovery 1.0, section 3; RFC 9207, section 3).
struct IssuerMetadata: Sendable, Hashable {
    let authorizationEndpoint: String
    let tokenEndpoint: String
    let keySetURL: String
    /// Its answers say who they are from.
    let namesItself: Bool

    /// Reads a document.
    ///
    /// - Throws: `auth.misconfigured` where it is somebody else's, or has an endpoint that is none.
    init(_ members: [String: JSONValue], issuer: String) throws {
        guard members["issuer"]?.string == issuer else {
            throw SignInError.misconfigured("its discovery document names another issuer")
        }
        func endpoint(_ name: String) throws -> String {
            let url = members[name]?.string ?? ""
            // Nothing that was fetched safely is followed to where it would not be.
            guard url.hasPrefix("https://") || (url.hasPrefix("http://") && issuer.hasPrefix("http://")),
                url.utf8.count <= 2000, !url.contains("#"), !url.contains("{"), !url.contains(where: \.isWhitespace)
            else { throw SignInError.misconfigured("its discovery document has no usable \(name)") }
            return url
        }
        authorizationEndpoint = try endpoint("authorization_endpoint")
        tokenEndpoint = try endpoint("token_endpoint")
        keySetURL = try endpoint("jwks_uri")
        namesItself = members["authorization_response_iss_parameter_supported"] == .bool(true)
    }
}
