// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a route can choose by, of strings. Values match exactly.
public enum RouteDimension: Int, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Whose data.
    case tenant
    /// Which project.
    case project
    /// BCP 47 tag.
    case locale
    /// Region code.
    case region
    /// ISO 4217 or CHIP.
    case currency
    /// Channel name.
    case channel

    /// Its name in files and messages.
    public var description: String {
        switch self {
        case .tenant: "tenant"
        case .project: "project"
        case .locale: "locale"
        case .region: "region"
        case .currency: "currency"
        case .channel: "channel"
        }
    }
}

/// When a candidate of a route is taken: all conditions hold. None is always.
public struct RouteConditions: Sendable, Hashable {
    /// The values taken, each sorted and not empty; a dimension that is missing takes any.
    public private(set) var values: [RouteDimension: [String]] = [:]
    /// Amounts in minor units, both ends included, within 0...Int64.max; nil takes any, also where none is stated.
    public private(set) var amount: ClosedRange<Int64>?
    /// Hundredths of a percent within 0..<10,000, the upper end excluded; nil takes all.
    public private(set) var percentage: Range<Int>?

    /// Conditions that always hold.
    public init() {}

    /// These conditions and one more: the dimension has one of the values. No values change nothing.
    public func and(_ dimension: RouteDimension, _ values: [String]) -> RouteConditions {
        guard !values.isEmpty else { return self }
        var result = self
        result.values[dimension] = Set(values).sorted()
        return result
    }

    /// These conditions and one more: the amount is stated and within the range, negative ends read as 0.
    public func and(amount range: ClosedRange<Int64>) -> RouteConditions {
        var result = self
        result.amount = max(0, range.lowerBound)...max(0, range.upperBound)
        return result
    }

    /// These conditions and one more: the key's hundredths of a percent are within the range, which must not be empty.
    public func and(percentage range: Range<Int>) -> RouteConditions {
        precondition(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= 10_000, "a part of 0..<10,000")
        var result = self
        result.percentage = range
        return result
    }

    /// True where they always hold.
    public var areEmpty: Bool { values.isEmpty && amount == nil && percentage == nil }
}

extension RouteConditions: CustomStringConvertible {
    /// `currency=USD or EUR, amount=0...5000, percentage=0%..<10%`, or `always`.
    public var description: String {
        var parts = RouteDimension.allCases.compactMap { dimension in
            values[dimension].map { "\(dimension)=\($0.joined(separator: " or "))" }
        }
        if let amount {
            parts.append("amount=\(amount.lowerBound)...\(amount.upperBound == .max ? "" : String(amount.upperBound))")
        }
        if let percentage {
            parts.append("percentage=\(Self.percent(percentage.lowerBound))..<\(Self.percent(percentage.upperBound))")
        }
        return parts.isEmpty ? "always" : parts.joined(separator: ", ")
    }

    static func percent(_ hundredths: Int) -> String {
        let rest = hundredths % 100
        return rest == 0 ? "\(hundredths / 100)%" : "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)%"
    }
}
