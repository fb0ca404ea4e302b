// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension RequestWriter {
    /// Reads the value of a field, whatever it is.
    mutating func value(_ field: FieldPlan, _ depth: Int) throws(TranscodingError) {
        if case .map(let plan) = field.kind { return try map(field, plan, depth) }
        if field.isRepeated { return try list(field, depth) }
        try single(field, depth)
    }

    private mutating func single(_ field: FieldPlan, _ depth: Int) throws(TranscodingError) {
        if case .message(let plan) = field.kind {
            wire.tag(field.number, 2)
            let start = wire.open()
            try object(plan, FieldMask(), depth: depth - 1)
            wire.close(start)
        } else {
            try scalar(field, depth, isBare: false)
        }
    }

    private mutating func list(_ field: FieldPlan, _ depth: Int) throws(TranscodingError) {
        guard cursor.peek() == UInt8(ascii: "[") else { throw try mismatch("an array") }
        cursor.skip()
        let begin = wire.count
        let isPacked = field.isPackable
        if isPacked { wire.tag(field.number, 2) }
        let start = isPacked ? wire.open() : 0
        var count = 0
        if cursor.peek() == UInt8(ascii: "]") {
            cursor.skip()
        } else {
            while true {
                do throws(TranscodingError) {
                    if isPacked {
                        try scalar(field, depth - 1, isBare: true)
                    } else if case .message = field.kind {
                        try single(field, depth - 1)
                    } else {
                        try scalar(field, depth - 1, isBare: false)
                    }
                } catch { throw error.under("\(count)") }
                count += 1
                if cursor.peek() == UInt8(ascii: ",") {
                    cursor.skip()
                } else {
                    try cursor.expect(UInt8(ascii: "]"), "a comma or a closing bracket")
                    break
                }
            }
        }
        if isPacked { if count == 0 { wire.truncate(to: begin) } else { wire.close(start) } }
        try check(length: count, of: field)
    }

    private mutating func map(_ field: FieldPlan, _ plan: Int, _ depth: Int) throws(TranscodingError) {
        guard cursor.peek() == UInt8(ascii: "{") else { throw try mismatch("an object") }
        cursor.skip()
        guard plans[plan].fields.count == 2 else { throw TranscodingError.wire("a map without key and value") }
        let (keyField, valueField) = (plans[plan].fields[0], plans[plan].fields[1])
        var keys: Set<String> = []
        if cursor.peek() == UInt8(ascii: "}") {
            cursor.skip()
            return try check(length: 0, of: field)
        }
        while true {
            let range = try cursor.string()
            let key = cursor.text(range.range, range.hasEscapes)
            try cursor.expect(UInt8(ascii: ":"), "a colon")
            do throws(TranscodingError) {
                guard keys.insert(key).inserted else {
                    throw TranscodingError("json.duplicate_field", "one of them is expected", found: "given twice")
                }
                wire.tag(field.number, 2)
                let start = wire.open()
                try scalar(keyField, text: key)
                try single(valueField, depth - 1)
                wire.close(start)
            } catch { throw error.under(key) }
            if cursor.peek() == UInt8(ascii: ",") {
                cursor.skip()
            } else {
                try cursor.expect(UInt8(ascii: "}"), "a comma or a closing brace")
                break
            }
        }
        try check(length: keys.count, of: field)
    }

    /// Bounds of lists, maps, strings and bytes; `atEnd` false while more may come.
    func check(length: Int, of field: FieldPlan, atEnd: Bool = true) throws(TranscodingError) {
        if atEnd, field.isRequired, length == 0 {
            throw TranscodingError("json.required", "it is required", found: "empty")
        }
        // Empty is as absent, which only `required` refuses.
        if atEnd, length > 0, length < field.minLength {
            throw TranscodingError(
                "json.value", "a length of at least \(field.minLength) is expected", found: "of length \(length)")
        }
        if field.maxLength > 0, length > field.maxLength {
            throw TranscodingError(
                "json.value", "a length of at most \(field.maxLength) is expected", found: "of length \(length)")
        }
    }
}
