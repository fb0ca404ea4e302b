// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import Testing
import TheatreManifest

extension Account {
    /// A client of somebody with the role `admin`.
    ///
    /// - Parameter signing: what the server signs sessions with.
    func admin(by signing: P256.Signing.PrivateKey, tenant: String = "default") throws -> Client {
        var token = try SignedToken(try #require(client.token))
        token.claims["sub"] = .string("usr_admin")
        token.claims["sid"] = nil
        token.claims["tenant"] = .string(tenant)
        token.claims["roles"] = .array([.string("admin"), .string("user")])
        return Client(url: client.url, token: try token.signed { try signing.signature(for: $0).rawRepresentation })
    }
}
