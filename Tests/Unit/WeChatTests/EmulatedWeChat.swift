// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import SQLite
@testable import WeChat

/// The plugin in front of the emulated API, over the real database.
struct EmulatedWeChat {
    static let redirect = "https://theatre.example/callback"
    let host = TestHost()
    let emulator: WeChatEmulator

    init(
        _ kind: WeChatEmulator.Kind = .website, named name: String = "website", hasUnion: Bool = true,
        settings: String = "", given: String = "0123456789abcdef0123456789abcdef"
    ) async throws {
        let host = host
        let emulator = WeChatEmulator(
            appID: "wx4f4bc4dec97d474b", secret: "0123456789abcdef0123456789abcdef", kind: kind,
            redirectURI: Self.redirect, hasUnion: hasUnion, now: { host.now })
        self.emulator = emulator
        host.emulate(["https://api.weixin.qq.com"], secrets: ["app_secret": given]) { emulator.respond(to: $0) }
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("wechat.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        try await host.install(
            WeChat.self, manifest: .plugin("Identity/WeChat"), instance: "wechat",
            configuration: """
                {"app_id": "wx4f4bc4dec97d474b", "kind": "\(name)", "redirect_uris": ["\(Self.redirect)"]\(settings)}
                """)
        host.route("auth", to: "wechat")
    }

    func client(_ tenant: String = "t1") -> AuthProviderClient {
        AuthProviderClient(host.scope(tenant: tenant), feature: "auth")
    }

    /// As the published suite wants it. A code of WeChat's names no sign-in.
    var subject: OAuthSubject {
        OAuthSubject(
            redirectURI: Self.redirect, bindsCodes: false, client: { client($0) },
            advance: { host.advance(milliseconds: $0) }
        ) { url, person in
            guard let answer = emulator.approve(url, as: person) else {
                throw PluginError(.invalidArgument, "test.url", "WeChat refuses this URL.")
            }
            return OAuthAnswer(code: answer.code, state: answer.state)
        }
    }

    /// A whole sign-in with a code that a client on the device got.
    func signIn(code: String) async throws -> AuthVerifyResponse {
        let start = try await client().start(AuthStartRequest())
        return try await client().verify(
            .with {
                $0.challenge = start.challenge
                $0.secret = code
            })
    }

    /// A whole sign-in with a redirect.
    func signIn(_ person: String = "li") async throws -> AuthVerifyResponse {
        let start = try await client().start(.with { $0.redirectUri = Self.redirect })
        let answer = try await subject.approve(start.authorizeURL, person)
        return try await client().verify(
            .with {
                $0.challenge = start.challenge
                $0.secret = answer.code
                $0.state = answer.state
            })
    }
}
