// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// One schema or subschema. Children are indexes into the table, so that references may go round.
struct SchemaNode: Sendable {
    /// Set for `true` and `false`.
    var always: Bool?
    var rules: [Rule] = []
    var isSecret = false
    var defaultValue: JSONValue?
    var object = ObjectShape()
    var elements = ElementShape()
    var reference: Int?

    /// What a schema says of members.
    struct ObjectShape: Sendable {
        var properties: [String: Int] = [:]
        var patterns: [(pattern: String, node: Int)] = []
        var additional: Int?
        var required: [String] = []
        var names: Int?
        var dependentRequired: [(name: String, needs: [String])] = []
        var dependentSchemas: [(name: String, node: Int)] = []
        var minimum: Int?
        var maximum: Int?
    }

    /// What a schema says of elements.
    struct ElementShape: Sendable {
        var prefix: [Int] = []
        var rest: Int?
        var contains: Int?
        var minContains: Int?
        var maxContains: Int?
        var minimum: Int?
        var maximum: Int?
        var areUnique = false
    }

    /// Assertions on the value itself and combinations of schemas.
    enum Rule: Sendable {
        case type([String])
        case oneValue(of: [JSONValue], keyword: String)
        case length(minimum: Int?, maximum: Int?)
        case pattern(String)
        case format(SchemaFormat)
        case bound(Bound)
        case multiple(of: JSONValue)
        case all([Int])
        case any([Int])
        case one([Int])
        case not(Int)
        case condition(if: Int, then: Int?, else: Int?)
    }

    /// A limit on a number.
    struct Bound: Sendable {
        let keyword: String
        let limit: JSONValue
        /// Whether `number` compared with the limit is well.
        func allows(_ number: JSONValue) -> Bool {
            switch keyword {
            case "minimum": !number.isLess(than: limit)
            case "maximum": !limit.isLess(than: number)
            case "exclusiveMinimum": limit.isLess(than: number)
            default: number.isLess(than: limit)
            }
        }
        var words: String {
            switch keyword {
            case "minimum": "at least \(limit.shown)"
            case "maximum": "at most \(limit.shown)"
            case "exclusiveMinimum": "more than \(limit.shown)"
            default: "less than \(limit.shown)"
            }
        }
    }

    /// Schemas that are asked of the same value: endless when they lead back here.
    var inPlace: [Int] {
        var nodes = reference.map { [$0] } ?? []
        for rule in rules {
            switch rule {
            case .all(let children), .any(let children), .one(let children): nodes += children
            case .not(let child): nodes.append(child)
            case .condition(let test, let then, let otherwise): nodes += [test] + [then, otherwise].compactMap(\.self)
            default: break
            }
        }
        return nodes + object.dependentSchemas.map(\.node)
    }
}
