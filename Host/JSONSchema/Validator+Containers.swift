// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension Validator {
    mutating func objectViolations(
        _ members: [String: JSONValue], _ shape: SchemaNode.ObjectShape, at place: String
    ) -> [Violation] {
        var found: [Violation] = []
        for name in shape.required where members[name] == nil {
            found.append(missing(name, "required", "it is required", at: place))
        }
        for (name, needs) in shape.dependentRequired where members[name] != nil {
            for need in needs where members[need] == nil {
                found.append(missing(need, "dependentRequired", "\"\(name)\" requires it", at: place))
            }
        }
        found += countViolations(members.count, shape.minimum, shape.maximum, "Properties", "members", at: place)
        for name in members.keys.sorted() {
            if let names = shape.names {
                found += violations(of: .string(name), node: names, at: pointer(place, name)).map { one in
                    Violation(
                        pointer: one.pointer, keyword: "propertyNames", expected: "of its name, \(one.expected)",
                        found: "a member")
                }
            }
            if let value = members[name] { found += memberViolations(name, value, shape, at: place) }
        }
        for (name, node) in shape.dependentSchemas where members[name] != nil {
            found += violations(of: .object(members), node: node, at: place)
        }
        return found
    }

    private mutating func memberViolations(
        _ name: String, _ value: JSONValue, _ shape: SchemaNode.ObjectShape, at place: String
    ) -> [Violation] {
        let here = pointer(place, name)
        var found: [Violation] = []
        var isKnown = false
        if let node = shape.properties[name] {
            isKnown = true
            found += violations(of: value, node: node, at: here)
        }
        for (pattern, node) in shape.patterns where matches(name, pattern) {
            isKnown = true
            found += violations(of: value, node: node, at: here)
        }
        guard !isKnown, let additional = shape.additional else { return found }
        guard nodes[additional].always == false else { return violations(of: value, node: additional, at: here) }
        let known = shape.properties.keys.sorted()
        let hint =
            nearestMatch(to: name, among: known).map { "did you mean \"\($0)\"?" }
            ?? (known.isEmpty ? "no members are allowed" : "known here: \(known.joined(separator: ", "))")
        return [Violation(pointer: here, keyword: "additionalProperties", expected: hint, found: "unknown")]
    }

    mutating func elementViolations(
        _ elements: [JSONValue], _ shape: SchemaNode.ElementShape, at place: String
    ) -> [Violation] {
        var found = countViolations(elements.count, shape.minimum, shape.maximum, "Items", "elements", at: place)
        for (index, element) in elements.enumerated() {
            let node = index < shape.prefix.count ? shape.prefix[index] : shape.rest
            if let node { found += violations(of: element, node: node, at: "\(place)/\(index)") }
        }
        if shape.areUnique {
            var seen: [JSONValue: Int] = [:]
            for (index, element) in elements.enumerated() {
                guard let first = seen.updateValue(index, forKey: element.normalized) else { continue }
                found.append(
                    Violation(
                        pointer: "\(place)/\(index)", keyword: "uniqueItems", expected: "each element may occur once",
                        found: "equal to \(place)/\(first)"))
            }
        }
        guard let contains = shape.contains else { return found }
        var fitting = 0
        for element in elements where conforms(element, contains) { fitting += 1 }
        let (least, most) = (shape.minContains ?? 1, shape.maxContains ?? .max)
        if fitting < least || fitting > most {
            let expected =
                fitting < least
                ? "at least \(least) elements of the wanted form" : "at most \(most) elements of that form"
            found.append(
                Violation(
                    pointer: place, keyword: "contains", expected: "\(expected) are expected",
                    found: "an array with \(fitting)"))
        }
        return found
    }

    private func missing(_ name: String, _ keyword: String, _ expected: String, at place: String) -> Violation {
        Violation(pointer: pointer(place, name), keyword: keyword, expected: expected, found: "missing")
    }

    private func countViolations(
        _ count: Int, _ minimum: Int?, _ maximum: Int?, _ suffix: String, _ noun: String, at place: String
    ) -> [Violation] {
        var found: [Violation] = []
        func add(_ keyword: String, _ expected: String) {
            found.append(
                Violation(
                    pointer: place, keyword: keyword + suffix, expected: "\(expected) are expected",
                    found: "of \(count) \(noun)"))
        }
        if let minimum, count < minimum { add("min", "at least \(minimum)") }
        if let maximum, count > maximum { add("max", "at most \(maximum)") }
        return found
    }
}
