// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// Whether attributes that a provider states meet what a need requires.
enum Requirement {
    /// Why a value does not meet a requirement, `at least 768 is required, 384 is stated`; nil where it does.
    static func unmet(_ requirement: JSONValue, by actual: JSONValue?) -> String? {
        guard let actual, actual != .null else { return "\(text(requirement)) is required, nothing is stated" }
        let met: Bool
        if case .object(let bounds) = requirement {
            met = bounds.allSatisfy { holds($0.key, $0.value, actual) }
        } else {
            met = actual == requirement
        }
        return met ? nil : "\(text(requirement)) is required, \(text(actual)) is stated"
    }

    private static func holds(_ key: String, _ bound: JSONValue, _ actual: JSONValue) -> Bool {
        switch key {
        case "min": bound.integer.map { (actual.integer ?? .min) >= $0 } ?? false
        case "max": bound.integer.map { (actual.integer ?? .max) <= $0 } ?? false
        case "all": Set(bound.array ?? []).isSubset(of: actual.array ?? [])
        case "any": (bound.array ?? []).contains { $0 == actual || (actual.array ?? []).contains($0) }
        default: false
        }
    }

    /// Why a requirement cannot be asked of an attribute of that type; nil where it can.
    static func misshapen(_ requirement: JSONValue, for type: ContractFacts.AttributeType) -> String? {
        let isRight: Bool
        if case .object(let bounds) = requirement {
            let keys = Set(bounds.keys)
            let strings = bounds.values.allSatisfy { ($0.array ?? [.null]).allSatisfy { $0.string != nil } }
            isRight =
                switch type {
                case .integer:
                    !keys.isEmpty && keys.isSubset(of: ["min", "max"]) && bounds.values.allSatisfy { $0.integer != nil }
                case .string: keys == ["any"] && strings
                case .strings: !keys.isEmpty && keys.isSubset(of: ["any", "all"]) && strings
                case .boolean: false
                }
        } else {
            isRight = type != .strings && matches(requirement, type)
        }
        return isRight ? nil : shapes(of: type)
    }

    /// True where a stated value has the declared type.
    static func matches(_ value: JSONValue, _ type: ContractFacts.AttributeType) -> Bool {
        switch type {
        case .integer: value.integer != nil
        case .string: value.string != nil
        case .strings: value.array?.allSatisfy { $0.string != nil } ?? false
        case .boolean: value.bool != nil
        }
    }

    private static func shapes(of type: ContractFacts.AttributeType) -> String {
        switch type {
        case .integer: "a number, {\"min\": n} or {\"max\": n}"
        case .string: "a string or {\"any\": [...]}"
        case .strings: "{\"all\": [...]} or {\"any\": [...]}"
        case .boolean: "true or false"
        }
    }

    /// A value or a requirement in words.
    static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "nothing"
        case .bool(let bool): "\(bool)"
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .string(let string): string
        case .array(let elements): elements.isEmpty ? "none" : elements.map(text).joined(separator: ", ")
        case .object(let bounds):
            bounds.sorted { $0.key < $1.key }.map { key, bound in
                let word = ["min": "at least", "max": "at most", "all": "all of", "any": "one of"][key] ?? key
                return "\(word) \(text(bound))"
            }.joined(separator: " and ")
        }
    }
}
