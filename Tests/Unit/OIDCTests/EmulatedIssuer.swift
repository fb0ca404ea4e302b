// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import OIDC
@testable import SQLite

/// The plugin in front of the emulated issuer, over the real database.
struct EmulatedIssuer {
    static let issuer = "https://id.example.org"
    static let redirect = "https://theatre.example/callback"
    static let signer = TokenSigner(.es256, id: "client-key")
    let host = TestHost()
    let emulator: OIDCEmulator

    /// - Parameters:
    ///   - client: how the token endpoint knows us.
    ///   - claimed: how the plugin is configured, where that differs.
    init(
        _ kind: TokenSigner.Kind = .es256, client: OIDCEmulator.Client = .basic(secret: "s 3:cret"),
        method: String = "client_secret_basic", settings: String = "", emulated: String = issuer
    ) async throws {
        let host = host
        let emulator = OIDCEmulator(
            issuer: emulated, clientID: "theatre", client: client, redirectURI: Self.redirect, kind: kind,
            now: { host.now })
        self.emulator = emulator
        host.emulate(
            [Self.issuer], secrets: ["client_basic": Data("theatre:s%203%3Acret".utf8).base64EncodedString()]
        ) { emulator.respond(to: $0) }
        host.emulateKeys(signers: ["client": Self.signer])
        host.serve("theatre.host.v1.Secrets/Lease") { (_: HostLeaseRequest, _) -> HostLeaseResponse in
            .with { $0.value = Data("s 3:cret".utf8) }
        }
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("oidc.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        try await host.install(
            OIDC.self, manifest: .plugin("Identity/OIDC"), instance: "oidc",
            configuration: """
                {"issuer": "\(Self.issuer)", "client_id": "theatre", "client_authentication": "\(method)",
                "redirect_uris": ["\(Self.redirect)"], "audiences": ["theatre-app"]\(settings)}
                """)
        host.route("auth", to: "oidc")
    }

    func client(_ tenant: String = "t1") -> AuthProviderClient {
        AuthProviderClient(host.scope(tenant: tenant), feature: "auth")
    }

    /// As the published suite wants it.
    var subject: OAuthSubject {
        OAuthSubject(
            redirectURI: Self.redirect, client: { client($0) }, advance: { host.advance(milliseconds: $0) },
            flaw: { flaw in
                guard let flaw = TokenFlaw(rawValue: flaw.rawValue) else { return false }
                emulator.script(.flaw(flaw))
                return true
            },
            rotate: {
                emulator.rotate()
                return true
            }
        ) { url, person in
            guard let answer = emulator.approve(url, as: person) else {
                throw PluginError(.invalidArgument, "test.url", "The issuer refuses this URL.")
            }
            return OAuthAnswer(code: answer.code, state: answer.state, issuer: answer.issuer)
        }
    }

    /// A whole sign-in.
    func signIn(_ person: String = "li") async throws -> AuthVerifyResponse {
        try await client().verify(request(person))
    }

    /// All of a sign-in but its last step.
    func request(_ person: String = "li") async throws -> AuthVerifyRequest {
        let start = try await client().start(.with { $0.redirectUri = Self.redirect })
        let answer = try await subject.approve(start.authorizeURL, person)
        return .with {
            $0.challenge = start.challenge
            $0.secret = answer.code
            $0.state = answer.state
            $0.issuer = answer.issuer
        }
    }
}
