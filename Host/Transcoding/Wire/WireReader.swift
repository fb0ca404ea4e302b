// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Reads protobuf's wire format within bounds.
package struct WireReader {
    package let bytes: UnsafeBufferPointer<UInt8>
    package private(set) var position = 0

    package init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    package var isAtEnd: Bool { position >= bytes.count }

    /// One field's number, wire type and value: the number itself, or where its bytes are.
    package struct Item {
        package let number: UInt32
        package let type: UInt32
        package var raw: UInt64 = 0
        package var range = 0..<0
    }

    package mutating func varint() throws(TranscodingError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte < 2 else { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            guard shift <= 63 else { break }
        }
        throw .wire("cut off or overlong in an integer")
    }

    package mutating func fixed(_ count: Int) throws(TranscodingError) -> UInt64 {
        guard bytes.count - position >= count else { throw .wire("cut off in a number") }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += count
        return value
    }

    package mutating func next() throws(TranscodingError) -> Item {
        let tag = try varint()
        guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw .wire("with an impossible field number") }
        var item = Item(number: UInt32(tag >> 3), type: UInt32(tag & 7))
        switch item.type {
        case 0: item.raw = try varint()
        case 1: item.raw = try fixed(8)
        case 5: item.raw = try fixed(4)
        case 2:
            let length = try varint()
            guard length <= UInt64(bytes.count - position) else { throw .wire("cut off in field \(item.number)") }
            item.range = position..<position + Int(length)
            position += Int(length)
        default: throw .wire("with a wire type that proto3 does not have")
        }
        return item
    }
}
