// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// A sign-in that was begun: 256 random bits that only the caller has, and what follows from them.
///
/// The store keeps its digest; verifier and nonce are made from it again, so that who reads the database can end no
/// sign-in.
public struct Challenge: Sendable {
    /// What the caller gets.
    public let text: String

    /// A new one.
    public init() {
        var generator = SystemRandomNumberGenerator()
        text = Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// One that came back; nil for what cannot be any.
    public init?(_ text: String) {
        guard text.utf8.count == 43, Base64URL.decode(text) != nil else { return nil }
        self.text = text
    }

    /// What it is stored by.
    public var digest: [UInt8] { Digest.sha256("challenge\n\(text)".utf8) }
    /// Of PKCE (RFC 7636): 43 characters.
    public var codeVerifier: String { derived("pkce") }
    /// Of PKCE, method S256.
    public var codeChallenge: String { Self.codeChallenge(codeVerifier) }
    /// What the identity token must repeat.
    public var nonce: String { derived("nonce") }
    /// What the authorization server hands back where the caller gave nothing for that.
    public var state: String { derived("state") }

    /// BASE64URL(SHA256(ASCII(verifier))).
    public static func codeChallenge(_ verifier: String) -> String { Base64URL.encode(Digest.sha256(verifier.utf8)) }

    private func derived(_ purpose: String) -> String {
        Base64URL.encode(Digest.hmacSHA256(key: Array(text.utf8), Array(purpose.utf8)))
    }
}
