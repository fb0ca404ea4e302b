// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// Reads the fields of a message where they lie. Whatever is not quite as expected is nil: protobuf's own decoder, which
/// takes several times as long, then has the say.
package struct WireReader {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    /// The bytes must live as long as this.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    /// A number of seven bits a byte; a tag too.
    mutating func varint() -> UInt64? {
        // Most have one byte.
        if place < bytes.count, bytes[place] < 0x80 {
            defer { place += 1 }
            return UInt64(bytes[place])
        }
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while place < bytes.count, shift < 64 {
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// A number that fits into 32 bits.
    mutating func word() -> UInt32? { varint().flatMap { UInt32(exactly: $0) } }

    mutating func double() -> Double? {
        guard bytes.count - place >= 8 else { return nil }
        defer { place += 8 }
        return Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
    }

    /// What stands behind a length.
    mutating func field() -> UnsafeRawBufferPointer? {
        guard let size = varint(), size <= UInt64(bytes.count - place) else { return nil }
        defer { place += Int(size) }
        return UnsafeRawBufferPointer(rebasing: bytes[place..<(place + Int(size))])
    }

    /// What stands behind a length, as text.
    mutating func text() -> String? { field().flatMap { Self.text($0) } }

    /// Nil where it is not UTF-8.
    static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
        // What is all ASCII needs no closer look, and that look takes longer than the rest.
        return Self.isASCII(bytes) ? String(decoding: bytes, as: UTF8.self) : String(validating: bytes, as: UTF8.self)
    }

    /// Whether no byte stands for anything but itself.
    package static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        while place + 8 <= bytes.count {
            guard bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 else {
                return false
            }
            place += 8
        }
        while place < bytes.count {
            guard bytes[place] < 0x80 else { return false }
            place += 1
        }
        return true
    }

    /// Whether it is UTF-8.
    package static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        isASCII(bytes) || String(validating: bytes, as: UTF8.self) != nil
    }

    mutating func data() -> Data? { field().map { Data($0) } }
}
