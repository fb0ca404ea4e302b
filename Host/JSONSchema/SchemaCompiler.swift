// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// Turns a document into nodes and collects its faults.
struct SchemaCompiler {
    let root: JSONValue
    var nodes: [SchemaNode] = []
    var faults: [SchemaFault] = []
    private var indexes: [String: Int] = [:]
    private var places: [String] = []

    init(root: JSONValue) { self.root = root }

    static let annotations: Set<String> = [
        "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$schema", "$id",
        "$comment",
    ]
    static let assertions: Set<String> = [
        "type", "enum", "const", "properties", "required", "additionalProperties", "patternProperties", "propertyNames",
        "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "items", "prefixItems", "contains",
        "minContains", "maxContains", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern",
        "minimum",
        "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "anyOf", "oneOf", "allOf", "not", "if", "then",
        "else", "$defs", "$ref", "format",
    ]

    mutating func fault(_ pointer: String, _ message: String) {
        let fault = SchemaFault(pointer: pointer, message: message)
        if !faults.contains(fault) { faults.append(fault) }
    }

    /// The node of the schema at `place`, compiled once.
    mutating func node(at place: String, _ value: JSONValue) -> Int {
        if let index = indexes[place] { return index }
        let index = nodes.count
        indexes[place] = index
        nodes.append(SchemaNode())
        places.append(place)
        switch value {
        case .bool(let always): nodes[index].always = always
        case .object(let members): nodes[index] = compile(members, at: place)
        default: fault(place, "is \(value.kind); a schema, that is an object or a boolean, is expected")
        }
        return index
    }

    private mutating func compile(_ members: [String: JSONValue], at place: String) -> SchemaNode {
        var node = SchemaNode()
        var reader = KeywordReader(members: members, place: place)
        for key in members.keys.sorted() where !Self.assertions.contains(key) && !Self.annotations.contains(key) {
            let near = nearestMatch(to: key, among: Self.assertions.union(Self.annotations))
            fault(pointer(place, key), "is unknown\(near.map { "; did you mean \"\($0)\"?" } ?? "")")
        }
        node.isSecret = reader.bool("writeOnly")
        for key in ["deprecated", "readOnly"] { _ = reader.bool(key) }
        for key in ["title", "description", "$schema", "$id", "$comment"] { _ = reader.string(key) }
        node.defaultValue = members["default"]
        readReference(&reader, &node)
        readValueRules(&reader, &node)
        readNumberAndStringRules(&reader, &node)
        readObject(&reader, &node)
        readElements(&reader, &node)
        readCombinations(&reader, &node)
        for fault in reader.faults { self.fault(fault.pointer, fault.message) }
        return node
    }

    private mutating func readReference(_ reader: inout KeywordReader, _ node: inout SchemaNode) {
        for (name, value) in reader.object("$defs") ?? [] {
            _ = self.node(at: pointer(pointer(reader.place, "$defs"), name), value)
        }
        guard let reference = reader.string("$ref") else { return }
        let place = pointer(reader.place, "$ref")
        guard reference.hasPrefix("#"), let target = percentDecoded(String(reference.dropFirst())),
            target.isEmpty || target.hasPrefix("/")
        else {
            fault(place, "is \"\(reference)\"; a reference within the document, #/$defs/NAME, is expected")
            return
        }
        guard let value = target.isEmpty ? root : root.value(at: target) else {
            let names = (root["$defs"]?.object ?? [:]).keys.map { "#/$defs/\($0)" }
            let near = nearestMatch(to: reference, among: names)
            fault(place, "is \"\(reference)\", which is not there\(near.map { "; did you mean \"\($0)\"?" } ?? "")")
            return
        }
        node.reference = self.node(at: target, value)
    }

    private func percentDecoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// A schema that asks itself of the same value would never end.
    mutating func refuseEndlessReferences() {
        var state = [UInt8](repeating: 0, count: nodes.count)
        func visit(_ index: Int, _ found: inout Set<Int>) {
            state[index] = 1
            for next in nodes[index].inPlace {
                if state[next] == 1 { found.insert(index) } else if state[next] == 0 { visit(next, &found) }
            }
            state[index] = 2
        }
        var endless: Set<Int> = []
        for index in nodes.indices where state[index] == 0 { visit(index, &endless) }
        for index in endless.sorted() { fault(places[index], "refers to itself without end") }
    }
}
