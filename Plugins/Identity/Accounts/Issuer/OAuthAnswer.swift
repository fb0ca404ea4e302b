// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Answers of the OAuth endpoints, which nobody may keep.
enum OAuthAnswer {
    /// RFC 6749 section 5.1.
    struct Token: Encodable {
        var accessToken: String
        var tokenType = "Bearer"
        var expiresIn: UInt32
        var refreshToken: String?
        var scope: String?

        enum CodingKeys: String, CodingKey {
            case accessToken = "access_token"
            case tokenType = "token_type"
            case expiresIn = "expires_in"
            case refreshToken = "refresh_token"
            case scope
        }
    }

    /// RFC 7662 section 2.2, and the session besides.
    struct Introspection: Encodable {
        var active: Bool
        var tokenType: String?
        var sub: String?
        var scope: String?
        var clientID: String?
        var exp: Int64?
        var iat: Int64?
        var iss: String?
        var aud: String?
        var jti: String?
        var sid: String?

        enum CodingKeys: String, CodingKey {
            case active, sub, scope, exp, iat, iss, aud, jti, sid
            case tokenType = "token_type"
            case clientID = "client_id"
        }
    }

    /// RFC 8414 section 2, and what OpenID Connect Discovery asks for besides.
    struct Metadata: Encodable {
        var issuer: String
        var jwksURI: String
        var tokenEndpoint: String
        var revocationEndpoint: String
        var introspectionEndpoint: String
        var grantTypesSupported: [String]
        var tokenEndpointAuthMethodsSupported: [String]
        var revocationEndpointAuthMethodsSupported: [String]
        var introspectionEndpointAuthMethodsSupported: [String]
        var responseTypesSupported: [String]
        var subjectTypesSupported: [String]
        var idTokenSigningAlgValuesSupported: [String]

        enum CodingKeys: String, CodingKey {
            case issuer
            case jwksURI = "jwks_uri"
            case tokenEndpoint = "token_endpoint"
            case revocationEndpoint = "revocation_endpoint"
            case introspectionEndpoint = "introspection_endpoint"
            case revocationEndpointAuthMethodsSupported = "revocation_endpoint_auth_methods_supported"
            case introspectionEndpointAuthMethodsSupported = "introspection_endpoint_auth_methods_supported"
            case grantTypesSupported = "grant_types_supported"
            case tokenEndpointAuthMethodsSupported = "token_endpoint_auth_methods_supported"
            case responseTypesSupported = "response_types_supported"
            case subjectTypesSupported = "subject_types_supported"
            case idTokenSigningAlgValuesSupported = "id_token_signing_alg_values_supported"
        }
    }

    static func json(_ value: some Encodable, cache: String = "no-store") throws -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return whole(200, try encoder.encode(value), cache: cache)
    }

    /// RFC 6749 section 5.2.
    static func error(_ status: UInt32, _ code: String) -> HTTPResponse {
        whole(status, Data(#"{"error":"\#(code)"}"#.utf8), cache: "no-store")
    }

    /// Nobody, or who cannot prove who he is.
    static func invalidClient() -> HTTPResponse {
        var answer = error(401, "invalid_client")
        answer.headers.append(
            .with {
                $0.name = "www-authenticate"
                $0.value = #"Basic realm="oauth""#
            })
        return answer
    }

    static func empty() -> HTTPResponse { whole(200, Data("{}".utf8), cache: "no-store") }

    private static func whole(_ status: UInt32, _ body: Data, cache: String) -> HTTPResponse {
        .with {
            $0.status = status
            $0.contentType = "application/json"
            $0.body = body
            $0.headers = [
                .with {
                    $0.name = "cache-control"
                    $0.value = cache
                }
            ]
        }
    }
}
