// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Fails the first few times it is asked.
final class Stumbling: Sendable {
    private let left: Mutex<Int>
    init(times: Int = 1) { left = Mutex(times) }

    func isDown() -> Bool {
        left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }
}
