// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// The last deliveries by chat and message id: what comes again within this process is answered as before.
struct RecentDeliveries: Sendable {
    private var deliveries: [String: NotificationDelivery] = [:]
    private var order: [String] = []
    private static let most = 2048

    /// What was answered before, if it is remembered.
    func delivery(_ key: String) -> NotificationDelivery? { deliveries[key] }

    /// Remembers, and forgets the oldest half once there are too many.
    mutating func remember(_ key: String, _ delivery: NotificationDelivery) {
        if deliveries.updateValue(delivery, forKey: key) == nil { order.append(key) }
        guard order.count > Self.most else { return }
        for old in order.prefix(Self.most / 2) { deliveries[old] = nil }
        order.removeFirst(Self.most / 2)
    }
}
