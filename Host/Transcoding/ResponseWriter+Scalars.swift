// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension ResponseWriter {
    /// Prints one value: `raw` of a number, `bytes` of text.
    mutating func scalar(
        _ field: FieldPlan, _ raw: UInt64, _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(TranscodingError) {
        if field.isNullable, !field.isRepeated, raw == 0, bytes.isEmpty { return null() }
        switch field.kind {
        case .string: guard JSONText.write(bytes, into: &output) else { throw .wire("not UTF-8") }
        case .bytes:
            output.append(UInt8(ascii: "\""))
            Base64.encode(bytes, into: &output)
            output.append(UInt8(ascii: "\""))
        case .json:
            guard !bytes.isEmpty else { return null() }
            var cursor = JSONCursor(bytes)
            do throws(TranscodingError) {
                _ = try cursor.value(depth: depthLimit)
                try cursor.end()
            } catch { throw .wire("not JSON") }
            output.append(contentsOf: bytes)
        case .bool: output.append(contentsOf: raw == 0 ? "false".utf8 : "true".utf8)
        case .timestamp:
            output.append(UInt8(ascii: "\""))
            guard Timestamp.write(Int64(bitPattern: raw), into: &output) else {
                throw .wire("a time beyond the year 9999")
            }
            output.append(UInt8(ascii: "\""))
        case .double: try real(Double(bitPattern: raw).description, Double(bitPattern: raw).isFinite)
        case .float:
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: raw))
            try real(value.description, value.isFinite)
        case .enumeration(let plan):
            let number = Int32(truncatingIfNeeded: raw)
            guard let index = plan.numbers.firstIndex(of: number) else { return integer(Int64(number)) }
            output.append(UInt8(ascii: "\""))
            output.append(contentsOf: plan.bytes[index])
            output.append(UInt8(ascii: "\""))
        case .int32, .sfixed32: integer(Int64(Int32(truncatingIfNeeded: raw)))
        case .uint32, .fixed32: integer(Int64(UInt32(truncatingIfNeeded: raw)))
        case .sint32:
            let value = UInt32(truncatingIfNeeded: raw)
            integer(Int64(Int32(bitPattern: value >> 1) ^ -Int32(bitPattern: value & 1)))
        case .sint64: integer(Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1))
        case .uint64, .fixed64: digits(raw, isNegative: false)
        case .int64, .sfixed64: integer(Int64(bitPattern: raw))
        case .message, .map: throw .wire("a message where a value should be")
        }
    }

    private mutating func real(_ text: String, _ isFinite: Bool) throws(TranscodingError) {
        guard isFinite else { throw .wire("a number without JSON form: \(text)") }
        output.append(contentsOf: text.utf8)
    }

    private mutating func integer(_ value: Int64) { digits(value.magnitude, isNegative: value < 0) }

    /// Beyond ±2^53 a string, which every JSON reader keeps exact.
    private mutating func digits(_ magnitude: UInt64, isNegative: Bool) {
        let isText = magnitude > 1 << 53
        if isText { output.append(UInt8(ascii: "\"")) }
        if isNegative { output.append(UInt8(ascii: "-")) }
        var divisor: UInt64 = 1
        while magnitude / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(truncatingIfNeeded: 0x30 + magnitude / divisor % 10))
            divisor /= 10
        }
        if isText { output.append(UInt8(ascii: "\"")) }
    }
}
