// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import NIOPosix
import Runtime
import Services
import Synchronization

/// Verifies access tokens by the deployment's signing key, and follows it when `plugins.d` is read again.
final class SessionTokens: TokenVerifier {
    private let keys: FileKeys
    private let settings: HostConfiguration
    private let clock: SystemClock
    private let verifier = Mutex<JWTVerifier?>(nil)

    init(keys: FileKeys, settings: HostConfiguration, clock: SystemClock) {
        self.keys = keys
        self.settings = settings
        self.clock = clock
    }

    /// A verifier for the key as it is now, or as it is about to be. Blocks: for the operator's thread. nil where the
    /// deployment grants nobody the key: it verifies no token.
    ///
    /// - Parameter fresh: versions of keys that are about to be taken over.
    func make(with fresh: [String: [KeyVersion]] = [:]) throws -> JWTVerifier? {
        let versions: [KeyVersion]
        if let known = fresh[settings.tokens.key] {
            versions = known
        } else {
            do throws(CallError) { versions = try keys.versions(of: settings.tokens.key) } catch { return nil }
        }
        let jwks = versions.map(\.publicJWK).filter { !$0.isEmpty }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let clock = clock, tokens = settings.tokens
        return try loop.makeFutureWithTask {
            try await JWTVerifier(
                keys: jwks, issuer: tokens.issuer, audience: tokens.audience,
                now: { Int64(clock.wall() / 1_000_000) })
        }.wait()
    }

    /// Verifies by this one from now on; nil changes nothing.
    func use(_ fresh: JWTVerifier?) {
        if let fresh { verifier.withLock { $0 = fresh } }
    }

    func verify(_ token: String) async throws -> Principal {
        guard let verifier = verifier.withLock({ $0 }) else {
            throw TokenError(
                "auth.no_key", "This deployment verifies no tokens: no instance is granted the key of 00-host.yaml.")
        }
        return try await verifier.verify(token)
    }
}
