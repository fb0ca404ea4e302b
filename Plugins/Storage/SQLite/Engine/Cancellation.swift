// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A flag that is raised once, from any thread.
final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    var isRaised: Bool { flag.load(ordering: .relaxed) }

    func raise() { flag.store(true, ordering: .relaxed) }
}
