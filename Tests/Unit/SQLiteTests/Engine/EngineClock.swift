// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A clock that moves when told.
final class EngineClock: Sendable {
    private let time = Atomic<Int64>(1_700_000_000_000)

    var now: Int64 { time.load(ordering: .relaxed) }

    func advance(_ milliseconds: Int64) { time.add(milliseconds, ordering: .relaxed) }
}
