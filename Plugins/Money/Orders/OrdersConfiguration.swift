// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct OrdersConfiguration: Decodable, Sendable {
    /// Minor units of each currency for one chip.
    var prices: [String: Int64]
    /// Name of the payment provider in the path of its notifications.
    var provider: String
    /// Waits before the provider is asked, in milliseconds; the last repeats.
    var reconcile: [Int64]
    /// How long a payment may stay unpaid, in minutes.
    var paymentMinutes: Int64
    /// After how long something the provider never heard of has failed, in milliseconds.
    var notFound: Int64

    enum CodingKeys: String, CodingKey {
        case prices, provider
        case reconcile = "reconcile_ms"
        case paymentMinutes = "payment_minutes"
        case notFound = "not_found_ms"
    }

    /// The wait before a question, counted from 0.
    func wait(_ asked: Int64) -> Int64 { reconcile[Int(clamping: min(max(asked, 0), Int64(reconcile.count - 1)))] }
}
