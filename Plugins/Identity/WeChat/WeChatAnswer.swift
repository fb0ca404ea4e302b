// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SignIn
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// What WeChat gave for a code. JSON, whatever its content type says, and with status 200, whatever happened.
struct WeChatAnswer: Sendable {
    let members: [String: JSONValue]

    /// - Throws: the error that the answer is, or `auth.unreachable` for what is no answer.
    init(_ response: HostFetchResponse) throws {
        guard response.status == 200 else { throw SignInError.unreachable("WeChat answers \(response.status)") }
        guard let members = response.members else { throw SignInError.unreachable("WeChat answers without JSON") }
        if case .integer(let code)? = members["errcode"], code != 0 { throw WeChatError.error(code) }
        self.members = members
    }

    /// The person's name at this AppID; empty where there is none.
    var openID: String { text("openid") }
    /// The person's name at all AppIDs of one account; empty where there is none.
    var unionID: String { text("unionid") }
    /// For the profile.
    var accessToken: String { text("access_token") }
    /// A visitor whom WeChat lends a made-up profile: nobody.
    var isSnapshot: Bool { members["is_snapshotuser"] == .integer(1) }

    /// A text of at most 1024 bytes, or empty.
    func text(_ name: String) -> String {
        guard let text = members[name]?.string, text.utf8.count <= 1024 else { return "" }
        return text
    }
}
