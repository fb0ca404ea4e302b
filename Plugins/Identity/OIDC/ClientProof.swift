// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SignIn
import SwiftProtobuf
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// How we prove to a token endpoint who we are.
struct ClientProof {
    /// More fields of the form.
    var fields: [(String, String)] = []
    /// More headers.
    var headers: [(String, String)] = []

    /// The host fills in the secret, hands it out, or signs, in this order of preference from the last.
    init(_ configuration: OIDCConfiguration, endpoint: String, at now: Int64, _ call: Call) async throws {
        switch configuration.clientAuthentication {
        case .basic: headers = [("authorization", "Basic ${secret:client_basic}")]
        case .none: fields = [("client_id", configuration.clientID)]
        case .post:
            let lease = try await HostSecretsClient(call).lease(.with { $0.name = "client_secret" })
            fields = [
                ("client_id", configuration.clientID), ("client_secret", String(decoding: lease.value, as: UTF8.self)),
            ]
        case .signed:
            let assertion = try await HostSignedToken.make(
                key: "client",
                claims: [
                    "iss": .string(configuration.clientID), "sub": .string(configuration.clientID),
                    "aud": .string(endpoint), "jti": .string(ULID.next(at: now).description),
                    "iat": .integer(now / 1000), "exp": .integer(now / 1000 + 60),
                ], call)
            fields = [
                ("client_id", configuration.clientID),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", assertion),
            ]
        }
    }
}
