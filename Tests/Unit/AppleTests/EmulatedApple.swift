// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import EmulatedHost
import Emulators
import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Apple
@testable import SQLite

/// The plugin in front of the emulated service, over the real database.
struct EmulatedApple {
    static let redirect = "https://theatre.example/callback"
    static let key = TokenSigner(.es256, id: "ABC123DEFG")
    let host = TestHost()
    let emulator: AppleEmulator
    let probe: PluginHost

    /// - Parameter given: the key that the host signs with.
    init(given: TokenSigner = key) async throws {
        let host = host
        let emulator = AppleEmulator(
            teamID: "DEF123GHIJ", developer: Self.key, servicesID: "example.theatre.web",
            bundleIDs: ["example.theatre.app"], redirectURI: Self.redirect, now: { host.now })
        self.emulator = emulator
        host.emulate(["https://appleid.apple.com"]) { emulator.respond(to: $0) }
        host.emulateKeys(
            secrets: ["tokens": Array("a key of the host's for tokens..".utf8)], signers: ["client": given])
        try await host.install(
            SQLite.self, manifest: .plugin("Storage/SQLite"), instance: "sqlite",
            configuration: #"{"path": ":temporary:"}"#)
        host.route("apple.storage", to: "sqlite", capability: "theatre.sql.v1.Database")
        probe = try await TableProbe.install(host, as: "apple", storage: "apple.storage")
        try await host.install(
            Apple.self, manifest: .plugin("Identity/Apple"), instance: "apple",
            configuration: """
                {"team_id": "DEF123GHIJ", "key_id": "ABC123DEFG", "services_id": "example.theatre.web",
                "bundle_ids": ["example.theatre.app"], "redirect_uris": ["\(Self.redirect)"]}
                """)
        host.route("auth", to: "apple")
    }

    func client(_ tenant: String = "t1") -> AuthProviderClient {
        AuthProviderClient(host.scope(tenant: tenant), feature: "auth")
    }

    /// The versions of the key `tokens`, newest first, from here on: what another removes, opens nothing.
    func rotatingTokens() -> KeyVersions {
        let versions = KeyVersions()
        host.serve("theatre.host.v1.Keys/Mac") { (request: HostMacRequest, _) -> HostMacResponse in
            let known = versions.all
            guard let newest = known.first else {
                throw PluginError(.permissionDenied, "keys.not_granted", "There is no such key.")
            }
            let id = request.keyID.isEmpty ? newest : request.keyID
            guard known.contains(id) else {
                throw PluginError(.notFound, "keys.no_version", "There is no such version.")
            }
            return .with {
                $0.mac = Data(TestKeys.mac(request.key, id, request.data))
                $0.keyID = id
            }
        }
        return versions
    }

    /// As the published suite wants it. Apple's tokens have no `at_hash`.
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
                throw PluginError(.invalidArgument, "test.url", "Apple refuses this URL.")
            }
            return OAuthAnswer(code: answer.code, state: answer.state)
        }
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

    /// A whole sign-in on a device.
    ///
    /// - Parameters:
    ///   - code: where it is not the one that came with the token; empty for none.
    ///   - nonce: what Apple is given, where that is not as it should be.
    func signInOnDevice(
        _ person: String = "li", bundle: String = "example.theatre.app", code: String? = nil, nonce: String? = nil,
        flaw: TokenFlaw? = nil
    ) async throws -> AuthVerifyResponse {
        let start = try await client().start(AuthStartRequest())
        let sent = nonce ?? Hex.encode(Digest.sha256(start.nonce.utf8))
        let answer = try emulator.authorize(person, bundle: bundle, nonce: sent, flaw: flaw)
        return try await client().verify(
            .with {
                $0.challenge = start.challenge
                $0.identityToken = answer.token
                $0.secret = code ?? answer.code
            })
    }
}

/// Ids of versions that a test changes.
final class KeyVersions: Sendable {
    private let ids = Mutex(["1"])

    var all: [String] { ids.withLock { $0 } }
    func set(_ fresh: [String]) { ids.withLock { $0 = fresh } }
}
