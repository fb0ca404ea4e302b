// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The decision over a proof: one hash is verified, whoever is asked for and whatever was sent.
enum OneVerification {
    /// Whether the secret is the credential's.
    ///
    /// - Parameters:
    ///   - hash: of the credential; nil where there is none.
    ///   - decoy: verified in its place: one of the configured cost, which no secret has.
    ///   - verify: the work, done once, on a secret of bounded length.
    static func holds(
        _ secret: String, for hash: String?, decoy: String, _ verify: (String, String) async throws -> Bool
    ) async throws -> Bool {
        let fits = secret.unicodeScalars.count <= PasswordPolicy.lengths.upperBound
        let matches = try await verify(fits ? secret : "", hash ?? decoy)
        return matches && fits && hash != nil
    }
}
