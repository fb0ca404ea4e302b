// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What one route did since it was put in the table. Any thread.
final class RouteCounters: Sendable {
    private let succeeded = Atomic<UInt64>(0)
    private let redirected = Atomic<UInt64>(0)
    private let refused = Atomic<UInt64>(0)
    private let failed = Atomic<UInt64>(0)
    private let bytesIn = Atomic<UInt64>(0)
    private let bytesOut = Atomic<UInt64>(0)

    func count(status: UInt, in received: Int, out sent: Int) {
        switch status {
        case ..<300: succeeded.add(1, ordering: .relaxed)
        case ..<400: redirected.add(1, ordering: .relaxed)
        case ..<500: refused.add(1, ordering: .relaxed)
        default: failed.add(1, ordering: .relaxed)
        }
        if received > 0 { bytesIn.add(UInt64(received), ordering: .relaxed) }
        if sent > 0 { bytesOut.add(UInt64(sent), ordering: .relaxed) }
    }

    /// Requests by class of status: 2xx, 3xx, 4xx, 5xx.
    var requests: [(String, UInt64)] {
        [
            ("2xx", succeeded.load(ordering: .relaxed)), ("3xx", redirected.load(ordering: .relaxed)),
            ("4xx", refused.load(ordering: .relaxed)), ("5xx", failed.load(ordering: .relaxed)),
        ]
    }

    var received: UInt64 { bytesIn.load(ordering: .relaxed) }
    var sent: UInt64 { bytesOut.load(ordering: .relaxed) }
}
