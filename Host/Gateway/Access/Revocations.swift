// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Sessions whose tokens no longer count. Any thread; reading the epoch takes no lock.
final class Revocations: Sendable {
    private let counter = Atomic<Int>(0)
    private let sessions = Mutex<[String: Int64]>([:])
    private let keepMilliseconds: Int64

    /// - Parameter keepMilliseconds: longer than any token lives.
    init(keepMilliseconds: Int64 = 86_400_000) { self.keepMilliseconds = keepMilliseconds }

    /// Changes with every revocation.
    var epoch: Int { counter.load(ordering: .acquiring) }

    func revoke(_ session: String, at now: Int64) {
        guard !session.isEmpty else { return }
        sessions.withLock { sessions in
            if sessions.count >= 10_000 { sessions = sessions.filter { $0.value > now - keepMilliseconds } }
            sessions[session] = now
        }
        counter.add(1, ordering: .releasing)
    }

    func contains(_ session: String) -> Bool {
        !session.isEmpty && sessions.withLock { $0[session] != nil }
    }
}
