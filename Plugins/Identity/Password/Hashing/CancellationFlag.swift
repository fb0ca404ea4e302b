// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Raised once, read from any thread.
final class CancellationFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    var isRaised: Bool { raised.load(ordering: .relaxed) }

    func raise() { raised.store(true, ordering: .relaxed) }
}
