// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// What one file of profiles and routes declares.
public struct RoutingDeclaration: Sendable, Hashable {
    /// In order.
    public var profiles: [ProfileDeclaration]
    /// In order.
    public var routes: [RouteDeclaration]

    /// Reads a parsed file; every unknown key is an error.
    ///
    /// - Throws: `ManifestError` for the first fault, with a pointer to it.
    public init(reading value: JSONValue, map: SourceMap) throws {
        var reader = try ObjectReader(value)
        profiles = try reader.each("profiles") { profile in
            ProfileDeclaration(
                name: try profile.string("name"), instance: try profile.string("instance"),
                parameters: .object(try profile.object("parameters")),
                price: try profile.value("price").map { [pointer = profile.pointer(to: "price")] in
                    try Price(reading: $0, at: pointer)
                },
                limits: .object(try profile.object("limits")), source: map.source(at: profile.pointer))
        }
        routes = try reader.each("routes") { try RouteDeclaration(reading: &$0, map: map) }
        try reader.finish()
    }
}

extension RouteDeclaration {
    init(reading reader: inout ObjectReader, map: SourceMap) throws {
        feature = try reader.string("feature")
        strict = try reader.bool("strict", default: true)
        candidates = try reader.each("candidates") { try Candidate(reading: &$0, map: map) }
        fallbacks = try reader.strings("fallbacks")
        budget = .object(try reader.object("budget"))
        source = map.source(at: reader.pointer)
        guard !candidates.isEmpty else {
            throw ManifestError(
                code: "manifest.missing", pointer: reader.pointer(to: "candidates"),
                message: "is empty; at least one profile is expected")
        }
        guard Set(candidates.map { $0.rank == nil }).count == 1 else {
            throw ManifestError(
                code: "manifest.missing", pointer: reader.pointer(to: "candidates"),
                message: "states a rank for some; either all state one or none does")
        }
    }
}

extension RouteDeclaration.Candidate {
    init(reading reader: inout ObjectReader, map: SourceMap) throws {
        profile = try reader.string("profile")
        when = try RouteConditions(reading: reader.value("when") ?? .object([:]), at: reader.pointer(to: "when"))
        weight = try reader.bounded("weight", 1...1_000_000).map(Int.init)
        rank = try reader.bounded("rank", 0...1_000_000).map(Int.init)
        fallbacks = reader.value("fallbacks") == nil ? nil : try reader.strings("fallbacks")
        source = map.source(at: reader.pointer)
    }
}

extension RouteConditions {
    init(reading value: JSONValue, at pointer: String) throws {
        self.init()
        var reader = try ObjectReader(value == .null ? .object([:]) : value, at: pointer)
        for dimension in RouteDimension.allCases {
            let key = "\(dimension)"
            guard let value = reader.value(key), value != .null else { continue }
            let values = try value.string.map { [$0] } ?? reader.strings(key)
            guard !values.isEmpty, !values.contains("") else {
                throw ManifestError(
                    code: "manifest.missing", pointer: reader.pointer(to: key),
                    message: "takes nothing; leave it out to take any \(key)")
            }
            self = and(dimension, values)
        }
        if let value = reader.value("amount"), value != .null {
            self = try and(amount: Self.amount(value, at: reader.pointer(to: "amount")))
        }
        if let value = reader.value("percentage"), value != .null {
            self = try and(percentage: Self.percentage(value, at: reader.pointer(to: "percentage")))
        }
        try reader.finish()
    }

    /// `{min, max}` in minor units, both included, either may be missing.
    private static func amount(_ value: JSONValue, at pointer: String) throws -> ClosedRange<Int64> {
        var reader = try ObjectReader(value, at: pointer)
        let low = try reader.bounded("min", 0...Int64.max) ?? 0
        let high = try reader.bounded("max", 0...Int64.max) ?? .max
        try reader.finish()
        guard low <= high else {
            throw ManifestError(code: "manifest.range", pointer: pointer, message: "has a min above its max")
        }
        return low...high
    }

    /// `{from, to}` in percent with at most two decimals, `to` excluded, either may be missing.
    private static func percentage(_ value: JSONValue, at pointer: String) throws -> Range<Int> {
        var reader = try ObjectReader(value, at: pointer)
        let low = try hundredths(reader.value("from") ?? .integer(0), at: reader.pointer(to: "from"))
        let high = try hundredths(reader.value("to") ?? .integer(100), at: reader.pointer(to: "to"))
        try reader.finish()
        guard low < high else {
            throw ManifestError(code: "manifest.range", pointer: pointer, message: "is empty: from must be below to")
        }
        return low..<high
    }

    private static func hundredths(_ value: JSONValue, at pointer: String) throws -> Int {
        let hundredths: Double? =
            switch value {
            case .integer(let integer): Double(integer) * 100
            case .number(let number): number * 100
            default: nil
            }
        guard let hundredths, (0...10_000).contains(hundredths),
            (hundredths - hundredths.rounded()).magnitude < 1e-6
        else {
            throw ManifestError(
                code: "manifest.range", pointer: pointer,
                message: "must be a number from 0 to 100 with at most two decimals")
        }
        return Int(hundredths.rounded())
    }
}

extension ObjectReader {
    /// An integer within bounds, or nil.
    mutating func bounded(_ key: String, _ bounds: ClosedRange<Int64>) throws -> Int64? {
        guard let value = try integer(key) else { return nil }
        guard bounds.contains(value) else {
            throw ManifestError(
                code: "manifest.range", pointer: pointer(to: key),
                message: "is \(value); \(bounds.lowerBound) to \(bounds.upperBound) is expected")
        }
        return value
    }
}
