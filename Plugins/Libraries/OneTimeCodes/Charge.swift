// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What sending one code takes from one budget.
public struct Charge: Sendable, Hashable {
    /// Which of the budgets.
    public let kind: String
    /// Whose it is: a number, an address, a network. It is stored as a MAC only.
    public let whom: String
    /// What is taken.
    public let amount: Int64
    /// What there is in a window.
    public let limit: Int64
    /// Milliseconds of a window, from its first charge.
    public let window: Int64
    /// Of all tenants together.
    public let isGlobal: Bool

    /// A charge on a budget of what `whom` stands for.
    public init(
        _ kind: String, of whom: String, amount: Int64 = 1, limit: Int64, window: Int64, isGlobal: Bool = false
    ) {
        self.kind = kind
        self.whom = whom
        self.amount = amount
        self.limit = limit
        self.window = window
        self.isGlobal = isGlobal
    }

    private static let hour: Int64 = 3_600_000

    /// Those of every code. The price class is one of the identifier's.
    ///
    /// - Parameter network: as a call's context has it, such as 203.0.113.0/24; empty where nobody knows it.
    public static func all(
        _ settings: CodeSettings, identifier: String, device: String, network: String, price: PriceClass
    ) -> [Charge] {
        var charges = [
            Charge("pause", of: identifier, limit: 1, window: settings.pauseSeconds * 1000),
            Charge("hour", of: identifier, limit: settings.identifierPerHour, window: hour),
            Charge("day", of: identifier, limit: settings.identifierPerDay, window: 24 * hour),
            Charge("class", of: price.name, limit: price.perHour, window: hour, isGlobal: true),
            Charge(
                "spend", of: "", amount: price.price, limit: settings.spendPerHour, window: hour, isGlobal: true),
        ]
        if !device.isEmpty { charges.append(Charge("device", of: device, limit: settings.devicePerHour, window: hour)) }
        if !network.isEmpty {
            charges.append(
                Charge("network", of: network, limit: settings.networkPerHour, window: hour, isGlobal: true))
        }
        return charges
    }
}

/// Identifiers that cost alike: countries of one price.
public struct PriceClass: Decodable, Sendable, Hashable {
    /// For the budget's name.
    public var name: String
    /// Of one code, in thousandths of a currency.
    public var price: Int64
    /// Codes in an hour, of all tenants together.
    public var perHour: Int64

    enum CodingKeys: String, CodingKey {
        case name, price
        case perHour = "per_hour"
    }

    /// A class.
    public init(name: String, price: Int64, perHour: Int64) {
        self.name = name
        self.price = price
        self.perHour = perHour
    }
}
