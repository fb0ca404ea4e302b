// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct WeChatConfiguration: Decodable, Sendable {
    var appID: String
    var kind: Kind
    var redirectURIs: [String]
    /// Of an official account; empty: as the kind needs.
    var scope: String
    var profile: Bool
    var baseURL: String
    var authorizeURL: String
    var challengeSeconds: Int64
    var timeoutMilliseconds: UInt32

    /// What an AppID is of.
    enum Kind: String, Decodable, Sendable {
        case website
        case officialAccount = "official_account"
        case app
        case miniProgram = "mini_program"
    }

    enum CodingKeys: String, CodingKey {
        case kind, scope, profile
        case appID = "app_id"
        case redirectURIs = "redirect_uris"
        case baseURL = "base_url"
        case authorizeURL = "authorize_url"
        case challengeSeconds = "challenge_seconds"
        case timeoutMilliseconds = "timeout_ms"
    }

    /// People are sent to a URL; otherwise a client on the device asks for the code.
    var isRedirect: Bool { kind == .website || kind == .officialAccount }

    /// What is asked for.
    var grantedScope: String {
        switch kind {
        case .website: "snsapi_login"
        case .officialAccount: scope.isEmpty ? "snsapi_base" : scope
        case .app: "snsapi_userinfo"
        case .miniProgram: ""
        }
    }

    /// Whether a profile is there to be asked for.
    var givesProfile: Bool { profile && kind != .miniProgram && grantedScope != "snsapi_base" }
}
