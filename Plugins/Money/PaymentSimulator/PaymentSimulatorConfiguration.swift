// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct PaymentSimulatorConfiguration: Decodable, Sendable {
    /// How long the payer takes, in milliseconds.
    var delay: Int64
    /// Waits between the attempts of a notification, in milliseconds.
    var retries: [Int64]

    enum CodingKeys: String, CodingKey {
        case delay = "delay_ms"
        case retries = "retry_ms"
    }
}
