// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a caller says of a call, so that a route can choose among its candidates. Empty strings are not stated.
public struct RouteAttributes: Sendable, Hashable {
    /// Whose data.
    public var tenant = ""
    /// Which project.
    public var project = ""
    /// BCP 47 tag.
    public var locale = ""
    /// Region code.
    public var region = ""
    /// ISO 4217 or CHIP.
    public var currency = ""
    /// Channel name.
    public var channel = ""
    /// Minor units; a negative one counts as not stated.
    public var amount: Int64?
    /// What percentages and weights go by; the empty key has one fixed place like any other.
    public var key = ""

    /// Nothing stated.
    public init() {}

    /// The value of a dimension.
    public subscript(dimension: RouteDimension) -> String {
        get {
            switch dimension {
            case .tenant: tenant
            case .project: project
            case .locale: locale
            case .region: region
            case .currency: currency
            case .channel: channel
            }
        }
        set {
            switch dimension {
            case .tenant: tenant = newValue
            case .project: project = newValue
            case .locale: locale = newValue
            case .region: region = newValue
            case .currency: currency = newValue
            case .channel: channel = newValue
            }
        }
    }
}
