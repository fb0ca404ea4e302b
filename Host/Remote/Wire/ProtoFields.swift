// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf

/// The few fields of messages of others (google.rpc, grpc.health) that are read here.
struct ProtoReader: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    /// One field: a number, or bytes.
    struct Field {
        var number: UInt64
        var value: UInt64 = 0
        var bytes: ArraySlice<UInt8> = []
    }

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The next field; nil at the end, and where the bytes are no message.
    mutating func next() -> Field? {
        guard let tag = varint() else { return nil }
        var field = Field(number: tag >> 3)
        switch tag & 7 {
        case 0:
            guard let value = varint() else { return nil }
            field.value = value
        case 1: guard skip(8) != nil else { return nil }
        case 2:
            guard let size = varint(), let bytes = skip(size) else { return nil }
            field.bytes = bytes
        case 5: guard skip(4) != nil else { return nil }
        default: return nil
        }
        return field
    }

    private mutating func skip(_ count: UInt64) -> ArraySlice<UInt8>? {
        guard count <= UInt64(rest.count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}

/// Writes such fields.
enum ProtoWriter {
    static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }

    static func bytes(_ field: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(bytes.count)) + bytes
    }

    static func text(_ field: UInt64, _ text: String) -> [UInt8] { bytes(field, Array(text.utf8)) }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var out: [UInt8] = []
        while value >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        return out + [UInt8(value)]
    }
}

extension Message {
    /// Encoded. All messages here can be: none has required fields.
    var wireBytes: [UInt8] {
        do { return try serializedBytes() } catch { return [] }
    }

    /// Decoded.
    init(wire bytes: [UInt8]) throws { try self.init(serializedBytes: bytes) }
}
