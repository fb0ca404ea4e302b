// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import OneTimeCodes

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct EmailOTPConfiguration: Decodable, Sendable {
    /// Codes in an hour to one domain.
    var perHour: Int64
    var codes: CodeSettings

    enum CodingKeys: String, CodingKey {
        case perHour = "per_hour"
    }

    init(from decoder: any Decoder) throws {
        perHour = try decoder.container(keyedBy: CodingKeys.self).decode(Int64.self, forKey: .perHour)
        codes = try CodeSettings(from: decoder)
    }
}
