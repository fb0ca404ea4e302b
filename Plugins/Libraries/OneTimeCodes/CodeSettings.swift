// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// How codes are made and how many are sent. The keys of a configuration are these names in `snake_case`.
public struct CodeSettings: Decodable, Sendable {
    /// Figures of a code.
    public var digits: Int
    /// How long one counts.
    public var seconds: Int64
    /// Guesses at one.
    public var tries: Int64
    /// Seconds between two codes for one identifier.
    public var pauseSeconds: Int64
    /// Codes for one identifier in an hour.
    public var identifierPerHour: Int64
    /// Codes for one identifier in a day.
    public var identifierPerDay: Int64
    /// Codes that one device asks for in an hour.
    public var devicePerHour: Int64
    /// Codes that one network asks for in an hour: a /24 of IPv4, a /48 of IPv6.
    public var networkPerHour: Int64
    /// What all codes of all tenants may cost in an hour, in thousandths of the currency that prices are in.
    public var spendPerHour: Int64

    enum CodingKeys: String, CodingKey {
        case digits, seconds, tries
        case pauseSeconds = "pause_seconds"
        case identifierPerHour = "identifier_per_hour"
        case identifierPerDay = "identifier_per_day"
        case devicePerHour = "device_per_hour"
        case networkPerHour = "network_per_hour"
        case spendPerHour = "spend_per_hour"
    }
}
