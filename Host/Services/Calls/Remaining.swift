// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Calls back when the last of several has arrived.
final class Remaining: Sendable {
    private let count: Mutex<Int>
    private let then: @Sendable () -> Void

    init(_ count: Int, _ then: @escaping @Sendable () -> Void) {
        self.count = Mutex(count)
        self.then = then
    }

    func arrive() {
        let isLast = count.withLock { count in
            count -= 1
            return count == 0
        }
        if isLast { then() }
    }
}
