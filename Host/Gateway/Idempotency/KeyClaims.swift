// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Idempotency keys whose requests are being served by this host. Any thread.
final class KeyClaims: Sendable {
    private let held = Mutex<Set<AnswerKey>>([])

    /// A claim, or nil while another request holds the key.
    func claim(_ key: AnswerKey) -> KeyClaim? {
        held.withLock { $0.insert(key).inserted } ? KeyClaim(self, key) : nil
    }

    fileprivate func release(_ key: AnswerKey) { held.withLock { _ = $0.remove(key) } }
}

/// Holds a key until it is let go: as long as the call may still commit, also when the client has gone.
final class KeyClaim: Sendable {
    private let claims: KeyClaims
    let key: AnswerKey

    fileprivate init(_ claims: KeyClaims, _ key: AnswerKey) {
        self.claims = claims
        self.key = key
    }

    deinit { claims.release(key) }
}
