// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
public import TheatreManifest
public import TheatrePlugin

/// Tokens that the host signs for us: the key never comes here.
public enum HostSignedToken {
    /// A JWS in compact form.
    ///
    /// - Parameters:
    ///   - key: name in the manifest, of a key that signs.
    ///   - keyID: what the header says of the key; nil for its thumbprint.
    public static func make(
        key: String, keyID: String? = nil, claims: [String: JSONValue], _ scope: some CallScope
    ) async throws -> String {
        let keys = HostKeysClient(scope)
        guard let version = try await keys.signing(by: key) else {
            throw SignInError.misconfigured("the host has no public half of key \(key)")
        }
        let header: [String: JSONValue] = [
            "alg": .string(version.algorithm), "kid": .string(keyID ?? version.keyID), "typ": .string("JWT"),
        ]
        let parts = try [header, claims].map { Base64URL.encode(try JSONValue.object($0).json()) }
        let text = parts.joined(separator: ".")
        let signed = try await keys.sign(
            .with {
                $0.key = key
                $0.keyID = version.keyID
                $0.data = Data(text.utf8)
            })
        return "\(text).\(Base64URL.encode(signed.signature))"
    }
}
