// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension RequestWriter {
    /// Writes a scalar from the text of a parameter or of a map's key.
    mutating func scalar(_ field: FieldPlan, text: String) throws(TranscodingError) {
        var json: [UInt8]
        switch field.kind {
        case .message, .map, .json:
            throw TranscodingError(
                "request.unknown_parameter", "it can only come in the body", found: "\(field.kind.words)")
        case .string, .bytes, .timestamp, .enumeration: json = Self.quoted(text)
        case .bool, .double, .float: json = Array(text.utf8)
        default: json = Self.quoted(text)
        }
        if json.isEmpty { json = Self.quoted(text) }
        let outer = cursor
        let result: Result<Void, TranscodingError> = json.withUnsafeBufferPointer { bytes in
            cursor = JSONCursor(bytes)
            return Result { () throws(TranscodingError) in
                do throws(TranscodingError) {
                    try scalar(field, 1, isBare: false)
                    try cursor.end()
                } catch {
                    guard error.code == "json.syntax" else { throw error }
                    throw TranscodingError(
                        "json.type", "\(field.kind.words) is expected", found: "\"\(text.prefix(60))\"")
                }
            }
        }
        cursor = outer
        try result.get()
    }

    private static func quoted(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        var text = text
        text.withUTF8 { _ = JSONText.write($0, into: &output) }
        return output
    }

    /// Reads a scalar at the cursor. Bare: an element of a packed list, without tag and written even if empty.
    mutating func scalar(_ field: FieldPlan, _ depth: Int, isBare: Bool) throws(TranscodingError) {
        let writesEmpty = isBare || field.hasPresence || field.isRepeated
        func begin(_ wire: inout WireWriter) { if !isBare { wire.tag(field.number, field.wireType) } }
        switch field.kind {
        case .string: try string(field, writesEmpty)
        case .bytes: try bytes(field, writesEmpty)
        case .json:
            let range = try cursor.value(depth: depth)
            if field.maxLength > 0 { try check(length: range.count, of: field) }
            begin(&wire)
            wire.varint(UInt64(range.count))
            wire.append(cursor.slice(range))
        case .bool:
            let value = cursor.take("true")
            guard value || cursor.take("false") else { throw try mismatch(field.kind.words) }
            guard value || writesEmpty else { return }
            begin(&wire)
            wire.varint(value ? 1 : 0)
        case .double, .float: try real(field, isBare, writesEmpty)
        case .enumeration(let plan): try enumeration(field, plan, isBare, writesEmpty)
        case .timestamp:
            guard cursor.peek() == UInt8(ascii: "\"") else { throw try mismatch(field.kind.words) }
            let text = try cursor.string()
            guard !text.hasEscapes, let value = Timestamp.parse(cursor.slice(text.range)) else {
                throw TranscodingError(
                    "json.value", "\(field.kind.words) is expected", found: shown(quotes(text.range)))
            }
            try put(value, UInt64(bitPattern: value), field, isBare, writesEmpty)
        default: try integer(field, isBare, writesEmpty)
        }
    }

    private func quotes(_ range: Range<Int>) -> Range<Int> { range.lowerBound - 1..<range.upperBound + 1 }

    private mutating func string(_ field: FieldPlan, _ writesEmpty: Bool) throws(TranscodingError) {
        guard cursor.peek() == UInt8(ascii: "\"") else { throw try mismatch(field.kind.words) }
        let text = try cursor.string()
        let begin = wire.count
        wire.tag(field.number, 2)
        let start: Int
        if text.hasEscapes {
            start = wire.open()
            wire.appending { [cursor] in cursor.unescape(text.range, into: &$0) }
        } else {
            wire.varint(UInt64(text.range.count))
            start = wire.count
            wire.append(cursor.slice(text.range))
        }
        if field.minLength > 0 || field.maxLength > 0 || field.isRequired, !field.isRepeated {
            var scalars = 0
            for byte in wire.bytes[start...] where byte & 0xC0 != 0x80 { scalars += 1 }
            try check(length: scalars, of: field)
        }
        if !field.values.isEmpty, !text.range.isEmpty || field.isRequired,
            !field.values.contains(where: { $0.elementsEqual(wire.bytes[start...]) })
        {
            let known = field.values.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
            throw TranscodingError("json.value", "one of \(known) is expected", found: shown(quotes(text.range)))
        }
        if text.hasEscapes { wire.close(start) }
        if text.range.isEmpty, !writesEmpty { wire.truncate(to: begin) }
    }

    private mutating func bytes(_ field: FieldPlan, _ writesEmpty: Bool) throws(TranscodingError) {
        guard cursor.peek() == UInt8(ascii: "\"") else { throw try mismatch(field.kind.words) }
        let text = try cursor.string()
        let begin = wire.count
        wire.tag(field.number, 2)
        let start = wire.open()
        var plain: [UInt8] = []
        cursor.unescape(text.range, into: &plain)
        let isBase64 = plain.withUnsafeBufferPointer { text in wire.appending { Base64.decode(text, into: &$0) } }
        guard isBase64 else {
            throw TranscodingError("json.value", "\(field.kind.words) is expected", found: shown(quotes(text.range)))
        }
        let length = wire.count - start
        if !field.isRepeated { try check(length: length, of: field) }
        wire.close(start)
        if length == 0, !writesEmpty { wire.truncate(to: begin) }
    }

    private mutating func enumeration(
        _ field: FieldPlan, _ plan: EnumPlan, _ isBare: Bool, _ writesEmpty: Bool
    ) throws(TranscodingError) {
        guard cursor.peek() == UInt8(ascii: "\"") else { throw try mismatch(field.kind.words) }
        let text = try cursor.string()
        let bytes = cursor.slice(text.range)
        guard let index = plan.bytes.firstIndex(where: { $0.elementsEqual(bytes) }) else {
            throw TranscodingError("json.value", "\(field.kind.words) is expected", found: shown(quotes(text.range)))
        }
        let number = plan.numbers[index]
        if field.isRequired, number == 0 {
            throw TranscodingError("json.required", "it is required", found: "unspecified")
        }
        guard number != 0 || writesEmpty else { return }
        if !isBare { wire.tag(field.number, 0) }
        wire.varint(UInt64(bitPattern: Int64(number)))
    }

    private mutating func real(_ field: FieldPlan, _ isBare: Bool, _ writesEmpty: Bool) throws(TranscodingError) {
        let first = cursor.peek()
        guard first == UInt8(ascii: "-") || first &- 0x30 < 10 else { throw try mismatch(field.kind.words) }
        let range = try cursor.number().range
        let text = String(decoding: cursor.slice(range), as: UTF8.self)
        let isFloat = if case .float = field.kind { true } else { false }
        guard let value = Double(text), value.isFinite, !isFloat || Float(value).isFinite else {
            throw TranscodingError("json.value", "a number in range is expected", found: shown(range))
        }
        guard value.bitPattern != 0 || writesEmpty else { return }
        if !isBare { wire.tag(field.number, field.wireType) }
        if isFloat { wire.fixed32((Float(text) ?? Float(value)).bitPattern) } else { wire.fixed64(value.bitPattern) }
    }
}
