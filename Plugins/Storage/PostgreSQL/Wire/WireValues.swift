// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CPostgreSQL
import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatreStorage

/// Types of the server that values are sent and read as, by their number in pg_type.
enum WireType {
    static let unknown: UInt32 = 0
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let unknownText: UInt32 = 705
    static let date: UInt32 = 1082
    static let timestamp: UInt32 = 1114
    static let timestampWithZone: UInt32 = 1184
    static let numeric: UInt32 = 1700
    static let void: UInt32 = 2278
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802
    static let xid8: UInt32 = 5069
    /// Sent as their bytes: name, char, varchar, bpchar.
    static let texts: Set<UInt32> = [18, 19, 1042, 1043]
}

/// Parameters as they go over the wire, all in binary.
struct WireParameters {
    private(set) var types: [UInt32] = []
    private var bytes: [UInt8] = []
    /// Where each begins; -1 for NULL.
    private var offsets: [Int] = []
    private(set) var lengths: [Int32] = []

    init(_ values: [SQLValue]) {
        types.reserveCapacity(values.count)
        for value in values { append(value) }
    }

    private mutating func append(_ value: SQLValue) {
        let start = bytes.count
        switch value.kind {
        case nil:
            types.append(WireType.unknown)
            offsets.append(-1)
            lengths.append(0)
            return
        case .integer(let integer), .timestamp(let integer):
            types.append(WireType.int8)
            append(UInt64(bitPattern: integer))
        case .real(let real):
            types.append(WireType.float8)
            append(real.bitPattern)
        case .text(let text), .json(let text):
            types.append(WireType.text)
            bytes += text.utf8
        case .blob(let data):
            types.append(WireType.bytea)
            bytes += data
        }
        offsets.append(start)
        lengths.append(Int32(clamping: bytes.count - start))
    }

    private mutating func append(_ word: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }

    /// Calls `body` with the arrays that libpq takes; they are valid until it returns.
    func withPointers<Output>(
        _ body: (
            _ count: Int32, _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int32>?,
            _ formats: UnsafePointer<Int32>?
        ) -> Output
    ) -> Output {
        guard !offsets.isEmpty else { return body(0, nil, nil, nil) }
        // One byte more, so that an empty text at the end has an address too.
        return (bytes + [0]).withUnsafeBytes { buffer in
            let base = buffer.bindMemory(to: CChar.self).baseAddress
            let values = offsets.map { offset -> UnsafePointer<CChar>? in offset < 0 ? nil : base.map { $0 + offset } }
            return body(Int32(offsets.count), values, lengths, [Int32](repeating: 1, count: offsets.count))
        }
    }
}

/// Reads a field of a result that came in binary.
struct WireField {
    let bytes: UnsafeBufferPointer<UInt8>
    let type: UInt32

    /// The value; nil for a type that is not read.
    func value() -> SQLValue? {
        switch type {
        case WireType.int8, WireType.xid8: SQLValue(Int64(bitPattern: word(8)))
        case WireType.int4: SQLValue(Int64(Int32(truncatingIfNeeded: word(4))))
        case WireType.int2: SQLValue(Int64(Int16(truncatingIfNeeded: word(2))))
        case WireType.oid: SQLValue(Int64(word(4)))
        case WireType.bool: SQLValue(bytes.first == 1 ? Int64(1) : 0)
        case WireType.text, WireType.json, WireType.unknownText: SQLValue(text(bytes[...]))
        case WireType.float8: SQLValue(real: Double(bitPattern: word(8)))
        case WireType.float4: SQLValue(real: Double(Float(bitPattern: UInt32(truncatingIfNeeded: word(4)))))
        case WireType.bytea: SQLValue(Data(buffer: bytes))
        case WireType.numeric: WireNumeric(bytes)?.value
        case WireType.timestamp, WireType.timestampWithZone: SQLValue(milliseconds)
        case WireType.date: SQLValue(days)
        case WireType.uuid: SQLValue(uuid)
        case WireType.jsonb: SQLValue(text(bytes.dropFirst()))
        case WireType.void: SQLValue()
        case _ where WireType.texts.contains(type): SQLValue(text(bytes[...]))
        default: nil
        }
    }

    private func word(_ count: Int) -> UInt64 {
        bytes.prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func text(_ slice: Slice<UnsafeBufferPointer<UInt8>>) -> String { String(decoding: slice, as: UTF8.self) }

    /// The server counts microseconds from 2000.
    private var milliseconds: Int64 {
        let microseconds = Int64(bitPattern: word(8))
        return microseconds / 1000 - (microseconds % 1000 < 0 ? 1 : 0) + 946_684_800_000
    }

    /// A day as its first millisecond.
    private var days: Int64 { Int64(Int32(truncatingIfNeeded: word(4))) * 86_400_000 + 946_684_800_000 }

    private var uuid: String {
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
        return text
    }
}

/// A numeric: groups of four decimal digits, a weight, a sign and the digits behind the point that are shown.
struct WireNumeric {
    private var digits: [UInt16] = []
    private var weight = 0
    private var sign: UInt16 = 0
    private var scale = 0

    /// Reads one; nil where it is cut off, or a digit to the base of 10,000 is none.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count >= 8 else { return nil }
        func word(_ index: Int) -> UInt16 { UInt16(bytes[index * 2]) << 8 | UInt16(bytes[index * 2 + 1]) }
        let count = Int(word(0))
        guard bytes.count == 8 + count * 2 else { return nil }
        weight = Int(Int16(bitPattern: word(1)))
        sign = word(2)
        scale = Int(word(3))
        digits = (0..<count).map { word(4 + $0) }
        guard digits.allSatisfy({ $0 < 10_000 }) else { return nil }
    }

    /// An integer where nothing stands behind the point, as SUM gives it, and fits; else the nearest double.
    var value: SQLValue {
        if sign == 0xC000 { return SQLValue(real: .nan) }
        if sign == 0xD000 { return SQLValue(real: .infinity) }
        if sign == 0xF000 { return SQLValue(real: -.infinity) }
        if scale == 0, let integer { return SQLValue(integer) }
        return SQLValue(real: Double(decimal) ?? .nan)
    }

    private var integer: Int64? {
        var total: Int64 = 0
        for place in 0...max(0, weight) where weight >= 0 {
            let digit = Int64(place < digits.count ? digits[place] : 0)
            let (product, overflow) = total.multipliedReportingOverflow(by: 10_000)
            let (sum, overflows) = product.addingReportingOverflow(sign == 0 ? digit : -digit)
            guard !overflow, !overflows else { return nil }
            total = sum
        }
        return total
    }

    private var decimal: String {
        var text = sign == 0 ? "0" : "-0"
        for digit in digits { text += String(repeating: "0", count: 4 - String(digit).count) + String(digit) }
        return "\(text)e\((weight + 1 - digits.count) * 4)"
    }
}
