// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Big-endian integers out of bytes, never beyond their end.
struct ByteReader {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// What is left.
    var rest: ArraySlice<UInt8> { bytes[position...] }

    mutating func skip(_ count: Int) throws(TZifError) {
        guard count >= 0, count <= bytes.count - position else { throw .truncated }
        position += count
    }

    mutating func take(_ count: Int) throws(TZifError) -> ArraySlice<UInt8> {
        let start = position
        try skip(count)
        return bytes[start..<position]
    }

    mutating func byte() throws(TZifError) -> UInt8 {
        let start = position
        try skip(1)
        return bytes[start]
    }

    mutating func int32() throws(TZifError) -> Int32 {
        Int32(bitPattern: try take(4).reduce(0) { $0 << 8 | UInt32($1) })
    }

    mutating func int64() throws(TZifError) -> Int64 {
        Int64(bitPattern: try take(8).reduce(0) { $0 << 8 | UInt64($1) })
    }

    mutating func count() throws(TZifError) -> Int {
        let count = Int(try int32())
        guard (0...1 << 20).contains(count) else { throw .malformed }
        return count
    }
}

/// Why a time zone's file cannot be read.
enum TZifError: Error, Sendable, Hashable {
    /// It ends too early.
    case truncated
    /// It is no TZif file of version 2 or later, or contradicts itself.
    case malformed
}
