// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatreManifest

/// Describes messages as JSON Schemas. What a client may send and what it gets differ (an answer has every field), so a
/// message that is used both ways has two: `theatre.types.v1.Money` for answers and `theatre.types.v1.Money.Request`.
struct SchemaWriter {
    let catalog: ContractCatalog
    private(set) var finished: [String: JSONValue] = [:]

    init(catalog: ContractCatalog) { self.catalog = catalog }

    /// Where a value stands.
    enum Place {
        case answer, body, parameter
    }

    static func described(_ comment: String) -> [String: JSONValue] {
        comment.isEmpty ? [:] : ["description": .string(comment)]
    }

    mutating func finish(_ name: String, _ schema: JSONValue) { finished[name] = schema }

    static func isScalar(_ type: FieldType) -> Bool {
        switch type {
        case .message, .group: false
        default: true
        }
    }

    /// A reference to the message, which is described once; nil where the catalog lacks it.
    mutating func reference(_ name: String, isAnswer: Bool) -> JSONValue? {
        guard let message = catalog.message(name) else { return nil }
        let key = isAnswer ? name : "\(name).Request"
        if finished[key] == nil {
            // Before its fields: messages may hold themselves.
            finished[key] = .object([:])
            finished[key] = .object(object(message, isAnswer: isAnswer, without: []))
        }
        return .object(["$ref": .string("#/components/schemas/\(key)")])
    }

    /// A reference to the enum, which is described once. Its values' comments are a list in its description.
    private mutating func enumeration(_ name: String) -> JSONValue {
        if finished[name] == nil {
            let entry = catalog.enumeration(name)
            let values = entry?.values ?? []
            let list = values.filter { !$0.comment.isEmpty }.map {
                "- `\($0.name)`: \($0.comment.split(separator: "\n").joined(separator: " "))"
            }
            var schema: [String: JSONValue] = [
                "type": .string("string"), "enum": .array(values.map { .string($0.name) }),
            ]
            let parts = [entry?.comment ?? "", list.joined(separator: "\n")].filter { !$0.isEmpty }
            schema.merge(Self.described(parts.joined(separator: "\n\n"))) { first, _ in first }
            finished[name] = .object(schema)
        }
        return .string("#/components/schemas/\(name)")
    }

    /// The body of a request; its fields less those of the path, where there are such.
    mutating func body(_ name: String, without omitted: [String]) -> JSONValue? {
        guard let message = catalog.message(name) else { return nil }
        guard message.fields.contains(where: { omitted.contains($0.name) }) else {
            return reference(name, isAnswer: false)
        }
        return .object(object(message, isAnswer: false, without: omitted))
    }

    private mutating func object(
        _ message: MessageDescription, isAnswer: Bool, without omitted: [String]
    ) -> [String: JSONValue] {
        let fields = message.fields.filter { !omitted.contains($0.name) }
        var properties: [String: JSONValue] = [:]
        for field in fields { properties[field.name] = .object(schema(of: field, in: isAnswer ? .answer : .body)) }
        var result: [String: JSONValue] = ["type": .string("object"), "properties": .object(properties)]
        result.merge(Self.described(message.comment)) { first, _ in first }
        let required = fields.filter { isAnswer || $0.rules.required }.map { JSONValue.string($0.name) }
        if !required.isEmpty { result["required"] = .array(required) }
        if !isAnswer { result["additionalProperties"] = .bool(false) }
        return result
    }

    /// The schema of a field, with its rules.
    mutating func schema(of field: FieldDescription, in place: Place) -> [String: JSONValue] {
        let isAnswer = place == .answer
        var result = element(field, isAnswer)
        let rules = field.rules
        let isMap = result["additionalProperties"] != nil
        if field.isRepeated, !isMap {
            result = ["type": .string("array"), "items": .object(result)]
            if rules.minLength > 0 || rules.required { result["minItems"] = .integer(Int64(max(1, rules.minLength))) }
            if rules.maxLength > 0 { result["maxItems"] = .integer(Int64(rules.maxLength)) }
        } else if isAnswer && !isMap && isNullable(field) {
            result = ["anyOf": .array([.object(result), .object(["type": .string("null")])])]
        }
        if place == .body, !rules.required { result = Self.optional(result) }
        if result["$ref"] != nil, !field.comment.isEmpty { result = ["allOf": .array([.object(result)])] }
        return result.merging(Self.described(field.comment)) { first, _ in first }
    }

    /// Of what may be left out: null and empty are as absent.
    private static func optional(_ schema: [String: JSONValue]) -> [String: JSONValue] {
        let type = schema["type"]?.string
        if schema.isEmpty { return schema }
        let null: JSONValue = .object(["type": .string("null")])
        if type == "string", schema["minLength"] != nil || schema["enum"] != nil {
            let empty: JSONValue = .object(["type": .string("string"), "maxLength": .integer(0)])
            return ["anyOf": .array([.object(schema), empty, null])]
        }
        if type == "array", schema["minItems"] != nil {
            let empty: JSONValue = .object(["type": .string("array"), "maxItems": .integer(0)])
            return ["anyOf": .array([.object(schema), empty, null])]
        }
        guard let type else { return ["anyOf": .array([.object(schema), null])] }
        return schema.merging(["type": .array([.string(type), .string("null")])]) { $1 }
    }

    private func isNullable(_ field: FieldDescription) -> Bool {
        field.rules.nullable || field.hasPresence || field.oneof != nil || !Self.isScalar(field.type)
    }

    private mutating func element(_ field: FieldDescription, _ isAnswer: Bool) -> [String: JSONValue] {
        let rules = field.rules
        switch field.type {
        case .message(let name):
            if let entry = catalog.message(name), entry.isMapEntry, entry.fields.count == 2 {
                return ["type": .string("object"), "additionalProperties": .object(element(entry.fields[1], isAnswer))]
            }
            return reference(name, isAnswer: isAnswer)?.object ?? [:]
        case .enumeration(let name):
            return ["$ref": enumeration(name)]
        case .string where rules.json: return [:]
        case .string: return string(field, isAnswer)
        case .bytes: return ["type": .string("string"), "contentEncoding": .string("base64")]
        case .bool: return ["type": .string("boolean")]
        case .double, .float: return ["type": .string("number")]
        case .int64 where rules.timestamp: return ["type": .string("string"), "format": .string("date-time")]
        case .group: return [:]
        default: return integer(field)
        }
    }

    private func string(_ field: FieldDescription, _ isAnswer: Bool) -> [String: JSONValue] {
        let rules = field.rules
        var result: [String: JSONValue] = ["type": .string("string")]
        if !rules.values.isEmpty { result["enum"] = .array(rules.values.map(JSONValue.string)) }
        if !field.isRepeated, !isAnswer {
            if rules.minLength > 0 || rules.required { result["minLength"] = .integer(Int64(max(1, rules.minLength))) }
            if rules.maxLength > 0 { result["maxLength"] = .integer(Int64(rules.maxLength)) }
        }
        if rules.secret { result["format"] = .string("password") }
        return result
    }

    private func integer(_ field: FieldDescription) -> [String: JSONValue] {
        let format =
            switch field.type {
            case .int64, .sint64, .sfixed64, .uint64, .fixed64: "int64"
            default: "int32"
            }
        var result: [String: JSONValue] = ["type": .string("integer"), "format": .string(format)]
        if field.rules.hasMin { result["minimum"] = .integer(field.rules.min) }
        if field.rules.hasMax { result["maximum"] = .integer(field.rules.max) }
        switch field.type {
        case .uint32, .uint64, .fixed32, .fixed64: if result["minimum"] == nil { result["minimum"] = .integer(0) }
        default: break
        }
        return result
    }
}
