// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// Writes a draft 7 schema of the public suite in the words of 2020-12, so that its cases hold for this subset.
///
/// `definitions` is `$defs`; `items` as an array is `prefixItems` and its `additionalItems` is `items`; `dependencies` is
/// `dependentRequired` or `dependentSchemas`. Nothing else of what the suite covers changed its meaning.
func modernized(_ schema: JSONValue) -> JSONValue {
    guard case .object(let members) = schema else { return schema }
    var result: [String: JSONValue] = [:]
    for (key, value) in members {
        switch (key, value) {
        case ("definitions", .object(let inner)): result["$defs"] = .object(inner.mapValues(modernized))
        case ("$ref", .string(let text)):
            result["$ref"] = .string(
                text.replacing("#/definitions/", with: "#/$defs/").replacing("#/items/", with: "#/prefixItems/"))
        case ("items", .array(let inner)):
            result["prefixItems"] = .array(inner.map(modernized))
            if let rest = members["additionalItems"] { result["items"] = modernized(rest) }
        case ("items", _): result["items"] = modernized(value)
        case ("additionalItems", _): break
        case ("dependencies", .object(let inner)):
            let lists = inner.filter { $0.value.array != nil }
            let schemas = inner.filter { $0.value.array == nil }.mapValues(modernized)
            if !lists.isEmpty { result["dependentRequired"] = .object(lists) }
            if !schemas.isEmpty { result["dependentSchemas"] = .object(schemas) }
        case ("properties", .object(let inner)), ("patternProperties", .object(let inner)):
            result[key] = .object(inner.mapValues(modernized))
        case ("allOf", .array(let inner)), ("anyOf", .array(let inner)), ("oneOf", .array(let inner)):
            result[key] = .array(inner.map(modernized))
        case ("const", _), ("enum", _), ("default", _): result[key] = value
        default: result[key] = modernized(value)
        }
    }
    return .object(result)
}
