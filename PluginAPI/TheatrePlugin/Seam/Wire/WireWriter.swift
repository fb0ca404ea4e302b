// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// Writes the fields of a message into bytes that are as many as they take.
package struct WireWriter {
    private var place: UnsafeMutableRawPointer

    /// Exactly `size` bytes, which `body` writes.
    static func bytes(_ size: Int, _ body: (inout WireWriter) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            var writer = WireWriter(place: UnsafeMutableRawPointer(base))
            body(&writer)
            count = size
            precondition(writer.place == UnsafeMutableRawPointer(base) + size, "a message has the size it said")
        }
    }

    /// Bytes that a number takes.
    package static func size(_ value: UInt64) -> Int { (64 - (value | 1).leadingZeroBitCount + 6) / 7 }
    /// Of what is written behind its length.
    static func size(field count: Int) -> Int { size(UInt64(count)) + count }

    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            place.storeBytes(of: UInt8(truncatingIfNeeded: value) | 0x80, as: UInt8.self)
            place += 1
            value >>= 7
        }
        place.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
        place += 1
    }

    /// A tag below 128.
    mutating func tag(_ tag: UInt8) {
        place.storeBytes(of: tag, as: UInt8.self)
        place += 1
    }

    /// A field with a tag below 128, which is left out where it is 0.
    mutating func number(_ tag: UInt8, _ value: UInt32) {
        guard value != 0 else { return }
        self.tag(tag)
        varint(UInt64(value))
    }

    mutating func double(_ value: Double) {
        place.storeBytes(of: value.bitPattern.littleEndian, as: UInt64.self)
        place += 8
    }

    mutating func text(_ text: String) {
        var text = text
        text.withUTF8 { field(UnsafeRawBufferPointer($0)) }
    }

    mutating func data(_ data: Data) { data.withUnsafeBytes { field($0) } }

    /// Bytes behind their length.
    mutating func field(_ bytes: UnsafeRawBufferPointer) {
        varint(UInt64(bytes.count))
        guard let base = bytes.baseAddress else { return }
        place.copyMemory(from: base, byteCount: bytes.count)
        place += bytes.count
    }
}
