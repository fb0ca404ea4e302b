// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// A refresh token: 256 bits, base64url. Stored as its SHA-256 only.
struct RefreshToken: Sendable, Hashable {
    /// As clients hold it.
    let text: String

    /// SHA-256 of the text.
    var hash: [UInt8] { Digest.sha256(text.utf8) }

    /// The first of a session, from the system's generator.
    static func random() -> RefreshToken {
        var generator = SystemRandomNumberGenerator()
        return RefreshToken(bytes: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// As a client sent it; nil where it cannot be one.
    init?(_ text: String) {
        guard text.utf8.count == 43, text.utf8.allSatisfy(Base64URL.isDigit) else { return nil }
        self.text = text
    }

    private init(bytes: [UInt8]) { text = Base64URL.encode(bytes) }

    /// The token that follows this one in a session: a MAC by a key that only the host has.
    ///
    /// - Parameter version: of the key; empty for the one that counts now.
    /// - Returns: the token, and the version that made it.
    func successor(
        in session: String, by version: String, _ call: Call
    ) async throws -> (token: RefreshToken, version: String) {
        let data = Data("theatre.refresh.v1\n\(session)\n\(text)".utf8)
        let response = try await HostKeysClient(call).mac(
            .with {
                $0.key = "refresh"
                $0.data = data
                $0.keyID = version
            })
        guard response.mac.count == 32 else { throw AccountsError.noKey("refresh") }
        return (RefreshToken(bytes: Array(response.mac)), response.keyID)
    }
}
