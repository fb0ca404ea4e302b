// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Brings the end of a home to whoever owns the instance, which is made after the home.
final class EndRelay: Sendable {
    private let shared = Mutex(Shared())

    private struct Shared {
        var end: InstanceEnd?
        var handler: (@Sendable (InstanceEnd) -> Void)?
    }

    /// The home ended.
    func tell(_ end: InstanceEnd) {
        let handler = shared.withLock { shared in
            shared.end = end
            return shared.handler
        }
        handler?(end)
    }

    /// Who is told; at once where it has ended already.
    func setHandler(_ handler: @escaping @Sendable (InstanceEnd) -> Void) {
        let end = shared.withLock { shared in
            shared.handler = handler
            return shared.end
        }
        if let end { handler(end) }
    }
}
