// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension JSONValue {
    /// The same value with whole doubles as integers, deep, so that equality is JSON's.
    var normalized: JSONValue {
        switch self {
        case .number(let value): Int64(exactly: value).map(JSONValue.integer) ?? self
        case .array(let elements): .array(elements.map(\.normalized))
        case .object(let members): .object(members.mapValues(\.normalized))
        default: self
        }
    }

    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// Numeric order, exact between integers.
    func isLess(than other: JSONValue) -> Bool {
        if case .integer(let a) = self, case .integer(let b) = other { return a < b }
        guard let a = double, let b = other.double else { return false }
        return a < b
    }

    /// Exact for integers; for doubles within the error of one division.
    func isMultiple(of divisor: JSONValue) -> Bool {
        if case .integer(let a) = self, case .integer(let b) = divisor { return b != 0 && a.isMultiple(of: b) }
        guard let a = double, let b = divisor.double, b != 0 else { return false }
        let quotient = a / b
        guard quotient.isFinite else { return false }
        return abs(quotient - quotient.rounded()) <= 1e-12 * max(1, abs(quotient))
    }

    /// JSON Schema's names of the types it has.
    var types: [String] {
        switch normalized {
        case .null: ["null"]
        case .bool: ["boolean"]
        case .integer: ["integer", "number"]
        case .number(let value): value.rounded() == value ? ["integer", "number"] : ["number"]
        case .string: ["string"]
        case .array: ["array"]
        case .object: ["object"]
        }
    }

    /// The value for a message, at most 60 characters; arrays and objects by kind.
    var shown: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value.count > 60 ? value.prefix(57) + "..." : value[...])\""
        case .array, .object: kind
        }
    }
}

/// A token of an RFC 6901 pointer.
func pointer(_ base: String, _ key: String) -> String {
    base + "/" + key.replacing("~", with: "~0").replacing("/", with: "~1")
}
