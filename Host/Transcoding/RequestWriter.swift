// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

/// Writes one message while its JSON is read.
struct RequestWriter {
    let plans: [MessagePlan]
    var cursor: JSONCursor
    var wire: WireWriter
    private let isEmpty: Bool
    private var given = FieldMask()
    /// Where the bytes of a parameter's field are, to be compared with the body's.
    private var parameters: [(field: Int, range: Range<Int>)] = []

    /// Where a parameter stands.
    enum Source { case path, query }

    init(plans: [MessagePlan], json: UnsafeBufferPointer<UInt8>) {
        self.plans = plans
        cursor = JSONCursor(json)
        wire = WireWriter(capacity: json.count + 32)
        isEmpty = json.isEmpty
    }

    mutating func finish() throws(TranscodingError) -> [UInt8] {
        if isEmpty {
            try checkRequired(0, given)
        } else {
            try object(0, given, depth: depthLimit, isRoot: true)
            try cursor.end()
        }
        return wire.bytes
    }

    mutating func fill(_ values: [(name: String, value: String)], from source: Source) throws(TranscodingError) {
        for (name, value) in values {
            guard let index = plans[0].fields.firstIndex(where: { $0.name == name }) else {
                throw unknown(name, 0, "request.unknown_parameter").under(name)
            }
            let field = plans[0].fields[index]
            let start = wire.count
            do throws(TranscodingError) {
                try scalar(field, text: value)
                if field.isRepeated {
                    try check(length: 1 + parameters.count { $0.field == index }, of: field, atEnd: false)
                }
            } catch {
                throw error.under(name, isSecret: field.isSecret)
            }
            if given.contains(index), !field.isRepeated {
                guard let first = parameters.first(where: { $0.field == index }), agrees(first.range, start) else {
                    throw conflict(field)
                }
                wire.truncate(to: start)
                continue
            }
            if given.intersects(field.oneof), !given.contains(index) { throw Self.twice(field).under(name) }
            given.insert(index)
            parameters.append((index, start..<wire.count))
        }
    }

    private func agrees(_ range: Range<Int>, _ start: Int) -> Bool { wire.bytes[range] == wire.bytes[start...] }

    private func conflict(_ field: FieldPlan) -> TranscodingError {
        TranscodingError(
            "request.conflict", "the value of the path or query parameter, or none, is expected",
            found: "not what the parameter says", pointer: "/\(field.name)")
    }

    private static func twice(_ field: FieldPlan) -> TranscodingError {
        TranscodingError(
            "json.oneof", "only one field of \(field.oneofName) is allowed", found: "given beside another")
    }

    /// Reads an object of the plan.
    mutating func object(
        _ plan: Int, _ known: FieldMask, depth: Int, isRoot: Bool = false
    ) throws(TranscodingError) {
        guard depth > 0 else { throw JSONCursor.tooDeep }
        guard cursor.peek() == UInt8(ascii: "{") else {
            let isArray = cursor.peek() == UInt8(ascii: "[")
            var error = try mismatch("an object")
            // What stands in the place of an object that has a secret may be the secret itself.
            if !isArray, plans[plan].fields.contains(where: \.isSecret) { error.found = "not what it may be" }
            throw error
        }
        cursor.skip()
        var seen = known
        var here = FieldMask()
        var next = 0
        if cursor.peek() == UInt8(ascii: "}") {
            cursor.skip()
            return try checkRequired(plan, seen)
        }
        while true {
            let key = try cursor.string()
            try cursor.expect(UInt8(ascii: ":"), "a colon")
            let index = try lookUp(key, plan, from: next)
            next = index + 1
            try member(plan, index, &seen, &here, depth, isRoot)
            if cursor.peek() == UInt8(ascii: ",") {
                cursor.skip()
            } else {
                try cursor.expect(UInt8(ascii: "}"), "a comma or a closing brace")
                return try checkRequired(plan, seen)
            }
        }
    }

    private mutating func member(
        _ plan: Int, _ index: Int, _ seen: inout FieldMask, _ here: inout FieldMask, _ depth: Int, _ isRoot: Bool
    ) throws(TranscodingError) {
        let field = plans[plan].fields[index]
        if here.contains(index) {
            throw TranscodingError("json.duplicate_field", "one of them is expected", found: "given twice").under(
                field.name)
        }
        here.insert(index)
        do throws(TranscodingError) {
            if !isJSON(field), cursor.take("null") { return }
            let start = wire.count
            try value(field, depth)
            guard seen.contains(index) else {
                if seen.intersects(field.oneof) { throw Self.twice(field) }
                seen.insert(index)
                return
            }
            // Only a parameter can have given it before the body did.
            guard isRoot, let first = parameters.first(where: { $0.field == index }), agrees(first.range, start) else {
                throw conflict(field)
            }
            wire.truncate(to: start)
        } catch {
            throw error.code == "request.conflict" ? error : error.under(field.name, isSecret: field.isSecret)
        }
    }

    private func isJSON(_ field: FieldPlan) -> Bool {
        if case .json = field.kind { !field.isNullable && field.isRequired } else { false }
    }

    private func lookUp(
        _ key: (range: Range<Int>, hasEscapes: Bool), _ plan: Int, from next: Int
    ) throws(TranscodingError) -> Int {
        let fields = plans[plan].fields
        if !key.hasEscapes {
            let bytes = cursor.slice(key.range)
            // Clients mostly send fields in the order of the contract.
            if next < fields.count, fields[next].nameBytes.elementsEqual(bytes) { return next }
            for index in fields.indices where fields[index].nameBytes.count == bytes.count {
                if fields[index].nameBytes.elementsEqual(bytes) { return index }
            }
        }
        let name = cursor.text(key.range, key.hasEscapes)
        if let index = fields.firstIndex(where: { $0.name == name }) { return index }
        throw unknown(name, plan, "json.unknown_field").under(name)
    }

    private func unknown(_ name: String, _ plan: Int, _ code: String) -> TranscodingError {
        let names = plans[plan].fields.map(\.name)
        let hint =
            nearestMatch(to: name, among: names).map { "did you mean \"\($0)\"?" }
            ?? (names.isEmpty ? "no fields are allowed" : "known here: \(names.joined(separator: ", "))")
        return TranscodingError(code, hint, found: "unknown")
    }

    private func checkRequired(_ plan: Int, _ seen: FieldMask) throws(TranscodingError) {
        guard !plans[plan].required.isSubset(of: seen) else { return }
        for (index, field) in plans[plan].fields.enumerated() where field.isRequired && !seen.contains(index) {
            throw TranscodingError("json.required", "it is required", found: "missing").under(field.name)
        }
    }

    /// The error for a value of another type than expected; a syntax error if it is no value at all.
    mutating func mismatch(_ expected: String) throws(TranscodingError) -> TranscodingError {
        let range = try cursor.value(depth: depthLimit)
        return TranscodingError("json.type", "\(expected) is expected", found: shown(range))
    }

    func shown(_ range: Range<Int>) -> String {
        switch cursor.byte(range.lowerBound) {
        case UInt8(ascii: "{"): return "an object"
        case UInt8(ascii: "["): return "an array"
        default:
            let text = String(decoding: cursor.slice(range), as: UTF8.self)
            return text.count > 60 ? text.prefix(57) + "..." : text
        }
    }
}
