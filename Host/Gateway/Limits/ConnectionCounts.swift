// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import TheatreManifest

/// Open connections of each subscriber. Touched when a connection opens and when it closes.
final class ConnectionCounts: Sendable {
    private let counts = Mutex<[NetworkAddress: Int]>([:])

    /// Counts a connection in; false, and not counted, where there are `most` already.
    func open(_ address: NetworkAddress, most: Int) -> Bool {
        counts.withLock { counts in
            let count = counts[address.subscriber, default: 0]
            guard count < most else { return false }
            counts[address.subscriber] = count + 1
            return true
        }
    }

    /// Counts it out again.
    func close(_ address: NetworkAddress) {
        counts.withLock { counts in
            let left = counts[address.subscriber, default: 1] - 1
            counts[address.subscriber] = left > 0 ? left : nil
        }
    }
}
