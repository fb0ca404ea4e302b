// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct AppleConfiguration: Decodable, Sendable {
    var teamID: String
    var keyID: String
    /// Client of sign-ins with a redirect, or empty.
    var servicesID: String
    /// Clients of sign-ins on devices.
    var bundleIDs: [String]
    var redirectURIs: [String]
    /// Where Apple is, and what it calls itself.
    var baseURL: String
    var challengeSeconds: Int64
    var timeoutMilliseconds: UInt32

    enum CodingKeys: String, CodingKey {
        case teamID = "team_id"
        case keyID = "key_id"
        case servicesID = "services_id"
        case bundleIDs = "bundle_ids"
        case redirectURIs = "redirect_uris"
        case baseURL = "base_url"
        case challengeSeconds = "challenge_seconds"
        case timeoutMilliseconds = "timeout_ms"
    }

    /// Whether a sign-in may return there.
    func returns(to redirect: String) -> Bool { !servicesID.isEmpty && redirectURIs.contains(redirect) }
}
