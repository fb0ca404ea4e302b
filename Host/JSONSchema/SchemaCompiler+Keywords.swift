// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// Reads keywords of one schema by type and notes those of the wrong one.
struct KeywordReader {
    let members: [String: JSONValue]
    let place: String
    private(set) var faults: [SchemaFault] = []

    init(members: [String: JSONValue], place: String) {
        self.members = members
        self.place = place
    }

    mutating func fault(_ key: String, _ message: String) {
        faults.append(SchemaFault(pointer: pointer(place, key), message: message))
    }

    private mutating func read<T>(_ key: String, _ expected: String, _ path: (JSONValue) -> T?) -> T? {
        guard let value = members[key] else { return nil }
        guard let typed = path(value) else {
            fault(key, "is \(value.kind); \(expected) is expected")
            return nil
        }
        return typed
    }

    mutating func string(_ key: String) -> String? { read(key, "a string", \.string) }

    mutating func bool(_ key: String) -> Bool { read(key, "a boolean", \.bool) ?? false }

    /// Members in order of their names.
    mutating func object(_ key: String) -> [(String, JSONValue)]? {
        read(key, "an object", \.object)?.sorted { $0.key < $1.key }
    }

    mutating func number(_ key: String) -> JSONValue? {
        read(key, "a number") { $0.double == nil ? nil : $0.normalized }
    }

    /// A count, 0 or more.
    mutating func count(_ key: String) -> Int? {
        read(key, "an integer of at least 0") { value in
            value.normalized.integer.flatMap { $0 >= 0 ? Int($0) : nil }
        }
    }

    mutating func strings(_ key: String) -> [String]? {
        read(key, "an array of strings") { value in
            value.array.flatMap { elements in
                let strings = elements.compactMap(\.string)
                return strings.count == elements.count ? strings : nil
            }
        }
    }

    mutating func array(_ key: String) -> [JSONValue]? { read(key, "an array", \.array) }
}

extension SchemaCompiler {
    static let types = ["array", "boolean", "integer", "null", "number", "object", "string"]

    mutating func readValueRules(_ reader: inout KeywordReader, _ node: inout SchemaNode) {
        if let type = reader.members["type"] {
            let names = type.string.map { [$0] } ?? reader.strings("type") ?? []
            for name in names where !Self.types.contains(name) {
                let near = nearestMatch(to: name, among: Self.types).map { "; did you mean \"\($0)\"?" }
                reader.fault(
                    "type", "is \"\(name)\"\(near ?? "; one of \(Self.types.joined(separator: ", ")) is expected")")
            }
            node.rules.append(.type(names))
        }
        if let values = reader.array("enum") {
            if values.isEmpty { reader.fault("enum", "is empty, so nothing could conform") }
            node.rules.append(.oneValue(of: values.map(\.normalized), keyword: "enum"))
        }
        if let value = reader.members["const"] {
            node.rules.append(.oneValue(of: [value.normalized], keyword: "const"))
        }
    }

    mutating func readNumberAndStringRules(_ reader: inout KeywordReader, _ node: inout SchemaNode) {
        for keyword in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
            guard let limit = reader.number(keyword) else { continue }
            node.rules.append(.bound(SchemaNode.Bound(keyword: keyword, limit: limit)))
        }
        if let divisor = reader.number("multipleOf") {
            if !JSONValue.integer(0).isLess(than: divisor) { reader.fault("multipleOf", "must be more than 0") }
            node.rules.append(.multiple(of: divisor))
        }
        let (minimum, maximum) = (reader.count("minLength"), reader.count("maxLength"))
        if minimum != nil || maximum != nil { node.rules.append(.length(minimum: minimum, maximum: maximum)) }
        if let pattern = reader.string("pattern") {
            check(pattern, reader.place, "pattern")
            node.rules.append(.pattern(pattern))
        }
        if let name = reader.string("format") {
            if let format = SchemaFormat(rawValue: name) {
                node.rules.append(.format(format))
            } else {
                let known = SchemaFormat.allCases.map(\.rawValue).joined(separator: ", ")
                reader.fault("format", "is \"\(name)\"; one of \(known) is expected")
            }
        }
    }

    private mutating func check(_ pattern: String, _ place: String, _ key: String) {
        do {
            _ = try Regex(pattern)
        } catch {
            fault(pointer(place, key), "is \"\(pattern)\", which is not a regular expression: \(error)")
        }
    }

    mutating func readObject(_ reader: inout KeywordReader, _ node: inout SchemaNode) {
        let place = reader.place
        for (name, value) in reader.object("properties") ?? [] {
            node.object.properties[name] = self.node(at: pointer(place + "/properties", name), value)
        }
        for (pattern, value) in reader.object("patternProperties") ?? [] {
            check(pattern, place + "/patternProperties", pattern)
            let child = self.node(at: pointer(place + "/patternProperties", pattern), value)
            node.object.patterns.append((pattern, child))
        }
        node.object.additional = child("additionalProperties", reader)
        node.object.names = child("propertyNames", reader)
        node.object.required = (reader.strings("required") ?? []).sorted()
        node.object.minimum = reader.count("minProperties")
        node.object.maximum = reader.count("maxProperties")
        for (name, value) in reader.object("dependentRequired") ?? [] {
            var inner = KeywordReader(members: [name: value], place: place + "/dependentRequired")
            node.object.dependentRequired.append((name, inner.strings(name) ?? []))
            for fault in inner.faults { self.fault(fault.pointer, fault.message) }
        }
        for (name, value) in reader.object("dependentSchemas") ?? [] {
            let child = self.node(at: pointer(place + "/dependentSchemas", name), value)
            node.object.dependentSchemas.append((name, child))
        }
    }

    mutating func readElements(_ reader: inout KeywordReader, _ node: inout SchemaNode) {
        node.elements.prefix = children("prefixItems", &reader) ?? []
        if reader.members["items"]?.array != nil {
            reader.fault("items", "is an array; a schema is expected, and prefixItems for the first elements")
        } else {
            node.elements.rest = child("items", reader)
        }
        node.elements.contains = child("contains", reader)
        node.elements.minContains = reader.count("minContains")
        node.elements.maxContains = reader.count("maxContains")
        node.elements.minimum = reader.count("minItems")
        node.elements.maximum = reader.count("maxItems")
        node.elements.areUnique = reader.bool("uniqueItems")
    }

    mutating func readCombinations(_ reader: inout KeywordReader, _ node: inout SchemaNode) {
        if let all = children("allOf", &reader) { node.rules.append(.all(all)) }
        if let any = children("anyOf", &reader) { node.rules.append(.any(any)) }
        if let one = children("oneOf", &reader) { node.rules.append(.one(one)) }
        if let not = child("not", reader) { node.rules.append(.not(not)) }
        let (then, otherwise) = (child("then", reader), child("else", reader))
        if let test = child("if", reader) { node.rules.append(.condition(if: test, then: then, else: otherwise)) }
    }

    private mutating func child(_ key: String, _ reader: KeywordReader) -> Int? {
        reader.members[key].map { node(at: pointer(reader.place, key), $0) }
    }

    private mutating func children(_ key: String, _ reader: inout KeywordReader) -> [Int]? {
        guard let values = reader.array(key) else { return nil }
        if values.isEmpty { reader.fault(key, "is empty; at least one schema is expected") }
        let base = pointer(reader.place, key)
        return values.enumerated().map { node(at: "\(base)/\($0.offset)", $0.element) }
    }
}
