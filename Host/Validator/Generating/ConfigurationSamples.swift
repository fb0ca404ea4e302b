// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest

/// Configurations made from a manifest's JSON Schema.
struct ConfigurationSamples: Sendable {
    let schema: JSONValue

    /// A configuration and what makes it wrong.
    struct Sample: Sendable {
        let value: JSONValue
        let what: String
    }

    /// The value with every required member that has no default.
    func completed(_ value: JSONValue) -> JSONValue { Self.completed(value, schema) }

    private static func completed(_ value: JSONValue, _ schema: JSONValue) -> JSONValue {
        guard case .object(var members) = value else { return value }
        for name in (schema["required"]?.array ?? []).compactMap(\.string) where members[name] == nil {
            let property = schema["properties"]?[name] ?? .object([:])
            members[name] = property["default"] ?? least(property)
        }
        return .object(members)
    }

    /// The smallest value that a schema is likely to accept.
    static func least(_ schema: JSONValue) -> JSONValue {
        if let value = schema["const"] ?? schema["enum"]?.array?.first ?? schema["default"] { return value }
        // A pattern is met by what its author thought of.
        if let value = schema["examples"]?.array?.first { return value }
        switch schema["type"]?.string ?? schema["type"]?.array?.first?.string {
        case "integer", "number": return schema["minimum"] ?? .integer(1)
        case "boolean": return .bool(false)
        case "array":
            let count = Int(schema["minItems"]?.integer ?? 0)
            return .array((0..<count).map { _ in least(schema["items"] ?? .object([:])) })
        case "object": return completed(.object([:]), schema)
        case "null": return .null
        default: return .string(String(repeating: "a", count: max(1, Int(schema["minLength"]?.integer ?? 1))))
        }
    }

    /// Each rule of the schema's top level broken once, in a configuration that is right otherwise.
    func violations(of base: JSONValue) -> [Sample] {
        guard case .object(let members) = base else { return [] }
        var samples: [Sample] = []
        if schema["additionalProperties"] == .bool(false) {
            samples.append(
                Sample(value: .object(members.merging(["no_such_key": .bool(true)]) { $1 }), what: "an unknown key"))
        }
        for name in (schema["required"]?.array ?? []).compactMap(\.string) {
            samples.append(Sample(value: .object(members.filter { $0.key != name }), what: "no \(name)"))
        }
        for (name, property) in (schema["properties"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            for (value, what) in Self.broken(property) {
                samples.append(Sample(value: .object(members.merging([name: value]) { $1 }), what: "\(name) \(what)"))
            }
        }
        return samples
    }

    private static func broken(_ schema: JSONValue) -> [(JSONValue, String)] {
        var cases: [(JSONValue, String)] = []
        if let type = schema["type"]?.string {
            let others: [(String, JSONValue)] = [
                ("string", .string("x")), ("integer", .integer(7)), ("boolean", .bool(true)), ("object", .object([:])),
                ("array", .array([])), ("null", .null),
            ]
            for (kind, value) in others where kind != type && !(type == "number" && kind == "integer") {
                cases.append((value, "of type \(kind)"))
            }
        }
        if let least = schema["minimum"]?.integer, least > .min {
            cases.append((.integer(least - 1), "below its minimum"))
        }
        if let most = schema["maximum"]?.integer, most < .max {
            cases.append((.integer(most + 1), "above its maximum"))
        }
        if schema["enum"] != nil { cases.append((.string("no-such-choice"), "not of its choices")) }
        if let least = schema["minLength"]?.integer, least > 0 { cases.append((.string(""), "too short")) }
        if let most = schema["maxLength"]?.integer, most < 100_000 {
            cases.append((.string(String(repeating: "a", count: Int(most) + 1)), "too long"))
        }
        if let most = schema["maxItems"]?.integer, most < 10_000 {
            let item = least(schema["items"] ?? .object([:]))
            cases.append((.array(Array(repeating: item, count: Int(most) + 1)), "with too many elements"))
        }
        return cases
    }

    /// Odd values that the schema may allow; ask it.
    func oddities(of base: JSONValue) -> [Sample] {
        guard case .object(let members) = base else { return [] }
        return (schema["properties"]?.object ?? [:]).sorted { $0.key < $1.key }.flatMap { name, property in
            Self.odd(property).map { value in
                Sample(value: .object(members.merging([name: value]) { $1 }), what: "\(name) at an edge")
            }
        }
    }

    private static func odd(_ schema: JSONValue) -> [JSONValue] {
        var values = (schema["enum"]?.array ?? []) + [schema["minimum"], schema["maximum"]].compactMap(\.self)
        switch schema["type"]?.string {
        case "string":
            values += ["", " ", "汴京", "\u{0}", "a/../b", "http://localhost", "http://x/y", "\u{202E}x"].map(
                JSONValue.string)
            if let most = schema["maxLength"]?.integer, most <= 5000 {
                values.append(.string(String(repeating: "a", count: Int(most))))
            }
        case "boolean": values += [.bool(true), .bool(false)]
        case "array":
            values += [.array([]), .array([least(schema["items"] ?? .object([:]))])]
        case "object": values += [.object([:])]
        case "integer", "number": values += [.integer(0), .integer(.max), .number(1.0)]
        default: break
        }
        return values
    }
}
