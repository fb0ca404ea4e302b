// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct LedgerConfiguration: Decodable, Sendable {
    /// How long a hold lasts that says no end, in hours.
    var holdHours: Int64

    enum CodingKeys: String, CodingKey {
        case holdHours = "hold_hours"
    }
}
