// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension RequestWriter {
    /// Reads an integer: a JSON number within ±2^53, or a string of digits of the type's whole range.
    mutating func integer(_ field: FieldPlan, _ isBare: Bool, _ writesEmpty: Bool) throws(TranscodingError) {
        let first = cursor.peek()
        let isText = first == UInt8(ascii: "\"")
        let range: Range<Int>
        let whole: Range<Int>
        if isText {
            let text = try cursor.string()
            range = text.range
            whole = range.lowerBound - 1..<range.upperBound + 1
        } else {
            guard first == UInt8(ascii: "-") || first &- 0x30 < 10 else { throw try mismatch(field.kind.words) }
            range = try cursor.number().range
            whole = range
        }
        guard let (magnitude, isNegative) = Self.parse(cursor.slice(range)) else {
            throw TranscodingError("json.type", "an integer is expected", found: shown(whole))
        }
        guard isText || magnitude <= 1 << 53 else {
            throw TranscodingError(
                "json.value", "an integer within ±9007199254740992, or a string of digits, is expected",
                found: shown(whole))
        }
        try write(magnitude, isNegative, field, isBare, writesEmpty, whole)
    }

    /// Digits without leading zeros, with a sign or not.
    private static func parse(_ text: UnsafeBufferPointer<UInt8>) -> (UInt64, Bool)? {
        let isNegative = text.first == UInt8(ascii: "-")
        let start = isNegative ? 1 : 0
        guard text.count > start, text.count == start + 1 || text[start] != 0x30 else { return nil }
        var value: UInt64 = 0
        for index in start..<text.count {
            guard text[index] &- 0x30 < 10 else { return nil }
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, carries) = product.addingReportingOverflow(UInt64(text[index] - 0x30))
            guard !overflows, !carries else { return nil }
            value = sum
        }
        return (value, isNegative)
    }

    private mutating func write(
        _ magnitude: UInt64, _ isNegative: Bool, _ field: FieldPlan, _ isBare: Bool, _ writesEmpty: Bool,
        _ place: Range<Int>
    ) throws(TranscodingError) {
        let outside = TranscodingError.outOfRange
        if case .uint64 = field.kind, !isNegative { return try put(nil, magnitude, field, isBare, writesEmpty) }
        if case .fixed64 = field.kind, !isNegative { return try put(nil, magnitude, field, isBare, writesEmpty) }
        guard magnitude <= (isNegative ? UInt64(1) << 63 : UInt64(Int64.max)) else { throw outside(shown(place)) }
        let value = isNegative ? Int64(truncatingIfNeeded: 0 &- magnitude) : Int64(magnitude)
        let allowed: ClosedRange<Int64>
        switch field.kind {
        case .int32, .sint32, .sfixed32: allowed = Int64(Int32.min)...Int64(Int32.max)
        case .uint32, .fixed32: allowed = 0...Int64(UInt32.max)
        case .uint64, .fixed64: allowed = 0...Int64.max
        default: allowed = Int64.min...Int64.max
        }
        guard allowed.contains(value) else { throw outside(shown(place)) }
        switch field.kind {
        case .sint32, .sint64: try put(value, UInt64(bitPattern: value << 1 ^ value >> 63), field, isBare, writesEmpty)
        default: try put(value, UInt64(bitPattern: value), field, isBare, writesEmpty)
        }
    }

    /// Writes an integer in its wire form once its bounds hold. `value` nil: unsigned 64 bits, which `raw` is.
    mutating func put(
        _ value: Int64?, _ raw: UInt64, _ field: FieldPlan, _ isBare: Bool, _ writesEmpty: Bool
    ) throws(TranscodingError) {
        let comparable = value ?? (raw > UInt64(Int64.max) ? .max : Int64(raw))
        if let minimum = field.minimum, comparable < minimum {
            throw TranscodingError("json.value", "at least \(minimum) is expected", found: "\(comparable)")
        }
        if let maximum = field.maximum, comparable > maximum {
            throw TranscodingError("json.value", "at most \(maximum) is expected", found: "\(comparable)")
        }
        guard raw != 0 || writesEmpty else { return }
        if !isBare { wire.tag(field.number, field.wireType) }
        switch field.wireType {
        case 1: wire.fixed64(raw)
        case 5: wire.fixed32(UInt32(truncatingIfNeeded: raw))
        default: wire.varint(raw)
        }
    }
}

extension TranscodingError {
    static func outOfRange(_ found: String) -> TranscodingError {
        TranscodingError("json.value", "an integer in the range of its type is expected", found: found)
    }
}
