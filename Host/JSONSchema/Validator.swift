// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// Applies nodes to values. Regular expressions are compiled once per run.
struct Validator {
    let nodes: [SchemaNode]
    private var expressions: [String: Regex<AnyRegexOutput>] = [:]

    init(nodes: [SchemaNode]) { self.nodes = nodes }

    mutating func conforms(_ value: JSONValue, _ node: Int) -> Bool {
        violations(of: value, node: node, at: "").isEmpty
    }

    mutating func violations(of value: JSONValue, node index: Int, at place: String) -> [Violation] {
        let node = nodes[index]
        if let always = node.always {
            if always { return [] }
            return [
                Violation(pointer: place, keyword: "false", expected: "nothing is allowed here", found: value.shown)
            ]
        }
        var found: [Violation] = []
        if let reference = node.reference { found += violations(of: value, node: reference, at: place) }
        for rule in node.rules { found += apply(rule, to: value, at: place) }
        if found.allSatisfy({ $0.keyword != "type" || $0.pointer != place }) {
            if case .object(let members) = value { found += objectViolations(members, node.object, at: place) }
            if case .array(let elements) = value { found += elementViolations(elements, node.elements, at: place) }
        }
        guard node.isSecret else { return found }
        return found.map { one in
            one.pointer == place
                ? Violation(pointer: place, keyword: one.keyword, expected: one.expected, found: value.kind) : one
        }
    }

    private mutating func apply(_ rule: SchemaNode.Rule, to value: JSONValue, at place: String) -> [Violation] {
        func fails(_ keyword: String, _ expected: String) -> [Violation] {
            [Violation(pointer: place, keyword: keyword, expected: expected + " is expected", found: value.shown)]
        }
        switch rule {
        case .type(let names):
            let kinds = value.types
            return names.contains(where: kinds.contains) ? [] : fails("type", Self.words(names))
        case .oneValue(let values, let keyword):
            if values.contains(value.normalized) { return [] }
            let shown = values.map(\.shown)
            let near = value.string.flatMap { nearestMatch(to: $0, among: values.compactMap(\.string)) }
            let hint = near.map { " (\"\($0)\"?)" } ?? ""
            return fails(keyword, shown.count == 1 ? shown[0] : "one of \(shown.joined(separator: ", "))\(hint)")
        case .length(let minimum, let maximum):
            guard let text = value.string else { return [] }
            let count = text.unicodeScalars.count
            if let minimum, count < minimum { return fails("minLength", "a string of at least \(minimum) characters") }
            if let maximum, count > maximum { return fails("maxLength", "a string of at most \(maximum) characters") }
            return []
        case .pattern(let pattern):
            guard let text = value.string, !matches(text, pattern) else { return [] }
            return fails("pattern", "a string that matches \(pattern)")
        case .format(let format):
            guard let text = value.string, !format.matches(text) else { return [] }
            return fails("format", format.words)
        case .bound(let bound):
            return value.double == nil || bound.allows(value.normalized) ? [] : fails(bound.keyword, bound.words)
        case .multiple(let divisor):
            return value.double == nil || value.normalized.isMultiple(of: divisor)
                ? [] : fails("multipleOf", "a multiple of \(divisor.shown)")
        default: return combine(rule, value, at: place)
        }
    }

    private mutating func combine(_ rule: SchemaNode.Rule, _ value: JSONValue, at place: String) -> [Violation] {
        func fails(_ keyword: String, _ expected: String) -> [Violation] {
            [Violation(pointer: place, keyword: keyword, expected: expected, found: value.shown)]
        }
        switch rule {
        case .all(let children):
            return children.flatMap { violations(of: value, node: $0, at: place) }
        case .any(let children):
            let each = children.map { violations(of: value, node: $0, at: place) }
            if each.contains(where: \.isEmpty) { return [] }
            return each.count == 1 ? each[0] : fails("anyOf", "one of these is expected: \(Self.alternatives(each))")
        case .one(let children):
            let each = children.map { violations(of: value, node: $0, at: place) }
            let fitting = each.count(where: \.isEmpty)
            if fitting == 1 { return [] }
            if fitting > 1 { return fails("oneOf", "exactly one of \(each.count) forms is expected, \(fitting) fit") }
            return each.count == 1 ? each[0] : fails("oneOf", "one of these is expected: \(Self.alternatives(each))")
        case .not(let child):
            return conforms(value, child) ? fails("not", "that is what it must not be") : []
        case .condition(let test, let then, let otherwise):
            guard let next = conforms(value, test) ? then : otherwise else { return [] }
            return violations(of: value, node: next, at: place)
        default: return []
        }
    }

    mutating func matches(_ text: String, _ pattern: String) -> Bool {
        if let known = expressions[pattern] { return (try? known.firstMatch(in: text)) != nil }
        // A pattern that does not compile was a fault when the schema was loaded.
        guard let made = try? Regex(pattern) else { return false }
        let expression = made.asciiOnlyDigits().asciiOnlyWordCharacters().matchingSemantics(.unicodeScalar)
        expressions[pattern] = expression
        return (try? expression.firstMatch(in: text)) != nil
    }

    static func words(_ types: [String]) -> String {
        types.map { $0 == "null" ? $0 : ["array", "integer", "object"].contains($0) ? "an \($0)" : "a \($0)" }
            .joined(separator: " or ")
    }

    private static func alternatives(_ each: [[Violation]]) -> String {
        each.map { violations in
            violations.first.map { "\($0.pointer.isEmpty ? "" : $0.pointer + ": ")\($0.expected)" } ?? ""
        }.joined(separator: ", or ")
    }
}
