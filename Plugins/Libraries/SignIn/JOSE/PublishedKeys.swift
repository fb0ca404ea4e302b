// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// The keys that somebody publishes at a URL, and the tokens they verify.
public final class PublishedKeys: Sendable {
    private let kept = Refreshed<KeySet>()

    /// None fetched yet.
    public init() {}

    /// Whether one of the published keys made a token: fetched again, at most once a minute, where none could have.
    ///
    /// - Parameter now: milliseconds since 1970.
    public func verify(
        _ token: SignedToken, _ allowed: Set<SignatureAlgorithm>, from url: String, _ http: OutsideHTTP, at now: Int64
    ) async throws -> Bool {
        guard let algorithm = token.algorithm, allowed.contains(algorithm) else { return false }
        var set = try await kept.value(at: now) { try await Self.fetch(url, http) }
        if !token.mayBeSigned(by: set) {
            set = try await kept.value(at: now, missing: true) { try await Self.fetch(url, http) }
        }
        return token.isSigned(by: set, allowed)
    }

    private static func fetch(_ url: String, _ http: OutsideHTTP) async throws -> (KeySet, Int64) {
        let response = try await http.get(url)
        guard response.status == 200 else { throw SignInError.unreachable("its key set answers \(response.status)") }
        guard let set = KeySet(json: response.body) else {
            throw SignInError.misconfigured("there is no key set at jwks_uri")
        }
        return (set, response.freshMilliseconds)
    }
}
