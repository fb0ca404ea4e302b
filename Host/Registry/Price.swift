// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// What a profile's calls cost, by what they use. Whole numbers throughout.
public struct Price: Sendable, Hashable {
    /// ISO 4217.
    public let currency: String
    /// Millionths of the currency's unit that a million of a unit costs; all are free where it is nil.
    public let rates: [String: Int64]?

    /// What a call costs.
    public enum Cost: Sendable, Hashable {
        /// Millionths of the currency's unit, rounded up.
        case micros(Int64)
        /// Nobody said what these cost.
        case unknown(units: [String])
    }

    /// Reads `{currency, per_million: {UNIT: PRICE}, each: {UNIT: PRICE}}` or `{free: true}`.
    ///
    /// - Throws: `ManifestError` for the first fault, with a pointer to it.
    public init(reading value: JSONValue, at pointer: String) throws {
        var reader = try ObjectReader(value, at: pointer)
        let isFree = try reader.bool("free", default: false)
        currency = try reader.optionalString("currency") ?? ""
        let millions = try Self.rates(&reader, "per_million", factor: 1),
            each = try Self.rates(&reader, "each", factor: 1_000_000)
        try reader.finish()
        guard !isFree else {
            guard millions.isEmpty, each.isEmpty else {
                throw ManifestError(
                    code: "manifest.conflict", pointer: pointer, message: "is free and states prices; state one of them"
                )
            }
            rates = nil
            return
        }
        guard currency.utf8.count == 3, currency.utf8.allSatisfy({ (65...90).contains($0) }) else {
            throw ManifestError(
                code: "manifest.missing", pointer: "\(pointer)/currency",
                message: "is \"\(currency)\"; three capital letters of ISO 4217 are expected, or free: true")
        }
        rates = try millions.merging(each) { _, _ in
            throw ManifestError(
                code: "manifest.conflict", pointer: "\(pointer)/each",
                message: "prices a unit that per_million prices, too")
        }
    }

    /// What so much costs.
    ///
    /// - Parameter parts: which unit is a part of which. A part with a price of its own is not charged as part of the whole;
    ///   one without is.
    public func cost(of counts: [String: Int64], parts: [String: String] = [:]) -> Cost {
        guard let rates else { return .micros(0) }
        var charged = counts
        for (part, whole) in parts {
            guard let count = charged[part] else { continue }
            if rates[part] != nil {
                charged[whole] = max(0, (charged[whole] ?? 0) - count)
            } else {
                charged[part] = nil
            }
        }
        let unknown = charged.filter { $0.value > 0 && rates[$0.key] == nil }.keys.sorted()
        guard unknown.isEmpty else { return .unknown(units: unknown) }
        let sum = charged.reduce(Int128(0)) { sum, item in sum + Int128(item.value) * Int128(rates[item.key] ?? 0) }
        return .micros(Int64(clamping: (sum + 999_999) / 1_000_000))
    }

    private static func rates(_ reader: inout ObjectReader, _ key: String, factor: Int64) throws -> [String: Int64] {
        var rates: [String: Int64] = [:]
        for (unit, value) in try reader.object(key) {
            guard let micros = Decimal6.micros(value), micros >= 0,
                case let (rate, overflow) = micros.multipliedReportingOverflow(by: factor), !overflow
            else {
                throw ManifestError(
                    code: "manifest.range", pointer: "\(reader.pointer(to: key))/\(unit)",
                    message: "must be a price from 0 with at most six decimals, such as 0.15")
            }
            rates[unit] = rate
        }
        return rates
    }
}

/// Numbers with six decimals, read exactly.
enum Decimal6 {
    /// Millionths; nil where it is no number, or has more decimals.
    static func micros(_ value: JSONValue) -> Int64? {
        switch value {
        case .integer(let whole):
            let (micros, overflow) = whole.multipliedReportingOverflow(by: 1_000_000)
            return overflow ? nil : micros
        case .number(let number):
            // The number nearest to so many millionths, or none with six decimals.
            let micros = (number * 1e6).rounded()
            return micros.magnitude < 1e18 && micros / 1e6 == number ? Int64(micros) : nil
        case .string(let text): return micros(text)
        default: return nil
        }
    }

    /// `0.15`; no sign, no exponent.
    static func micros(_ text: String) -> Int64? {
        let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = halves.count == 2 ? halves[1] : "0"
        guard (1...12).contains(halves[0].utf8.count), (1...6).contains(fraction.utf8.count),
            "\(halves[0])\(fraction)".utf8.allSatisfy({ (48...57).contains($0) }), let whole = Int64(halves[0]),
            let part = Int64(fraction + String(repeating: "0", count: 6 - fraction.utf8.count))
        else { return nil }
        return whole * 1_000_000 + part
    }
}
