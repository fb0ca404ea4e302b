// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// Reads the fields of a message where they lie. Whatever is not quite as expected is nil: protobuf's own decoder, which
/// takes several times as long, then has the say.
struct WireReader {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    /// The bytes must live as long as this.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    /// A number of seven bits a byte; a tag too.
    mutating func varint() -> UInt64? {
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

    mutating func text() -> String? { field().flatMap { String(validating: $0, as: UTF8.self) } }

    mutating func data() -> Data? { field().map { Data($0) } }
}
