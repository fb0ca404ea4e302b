// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// An access token of RFC 9068, signed by the host's key `session`.
struct AccessToken: Codable, Sendable {
    var iss: String
    var aud: String
    var sub: String
    var sid: String
    /// Seconds since 1970.
    var iat: Int64
    /// Seconds since 1970.
    var exp: Int64
    var jti: String
    var roles: [String]
    var tenant: String
    /// Of a service.
    var clientID: String?
    /// All that it may do, in the form of RFC 6749 section 3.3; nil for all that its subject may.
    var scope: String?

    enum CodingKeys: String, CodingKey {
        case iss, aud, sub, sid, iat, exp, jti, roles, tenant, scope
        case clientID = "client_id"
    }

    /// The token in its compact form.
    func signed(_ call: Call) async throws -> String {
        try await CompactJWS.sign(self, by: "session", type: "at+jwt", call)
    }
}
