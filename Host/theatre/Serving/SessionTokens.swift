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

    /// Loads the public halves of the key as they are now. Blocks: for the operator's thread.
    ///
    /// A deployment that grants nobody the key verifies no token.
    func load() throws {
        let jwks: [String]
        do throws(CallError) { jwks = try keys.publicKeys(of: settings.tokens.key) } catch { return }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let clock = clock, tokens = settings.tokens
        let fresh = try loop.makeFutureWithTask {
            try await JWTVerifier(
                keys: jwks, issuer: tokens.issuer, audience: tokens.audience,
                now: { Int64(clock.wall() / 1_000_000) })
        }.wait()
        verifier.withLock { $0 = fresh }
    }

    func verify(_ token: String) async throws -> Principal {
        guard let verifier = verifier.withLock({ $0 }) else {
            throw TokenError(
                "auth.no_key", "This deployment verifies no tokens: no instance is granted the key of 00-host.yaml.")
        }
        return try await verifier.verify(token)
    }
}
