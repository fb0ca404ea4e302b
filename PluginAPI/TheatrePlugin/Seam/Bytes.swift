// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import CTheatrePlugin
package import SwiftProtobuf

extension theatre_bytes {
    /// The bytes as a buffer; empty where the pointer is null.
    package var buffer: UnsafeRawBufferPointer {
        guard let data, size > 0, let count = Int(exactly: size) else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: data, count: count)
    }

    /// A copy of the bytes.
    package var copy: [UInt8] { [UInt8](buffer) }

    /// The bytes as text; what is not UTF-8 is replaced.
    package var text: String { String(decoding: buffer, as: UTF8.self) }

    /// Borrows a buffer.
    package init(_ buffer: UnsafeRawBufferPointer) {
        self.init(data: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), size: UInt64(buffer.count))
    }
}

/// A structure of the interface, which grows at its end only.
package protocol SizedStructure {
    init()
    // The name is the header's.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    var struct_size: UInt32 { get set }
}

extension theatre_error: SizedStructure {}
extension theatre_request: SizedStructure {}
extension theatre_result: SizedStructure {}
extension theatre_chunk: SizedStructure {}
extension theatre_create: SizedStructure {}
extension theatre_instance: SizedStructure {}
extension theatre_host: SizedStructure {}

extension SizedStructure {
    /// An empty structure that states its size.
    package static var sized: Self {
        var value = Self()
        value.struct_size = UInt32(MemoryLayout<Self>.size)
        return value
    }

    /// What the other side wrote: the smaller of the two sizes is read, the rest is zero.
    @inline(__always)
    package init(reading pointer: UnsafePointer<Self>) {
        let stated = Int(pointer.pointee.struct_size)
        if stated >= MemoryLayout<Self>.size {
            self = pointer.pointee
        } else {
            var value = Self()
            withUnsafeMutableBytes(of: &value) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: stated))
            }
            self = value
        }
    }
}

/// Bytes that protobuf may parse where they lie.
package struct BorrowedBytes: SwiftProtobufContiguousBytes {
    // Either the borrowed buffer, valid while the seam's function runs, or bytes of its own.
    private var borrowed: UnsafeRawBufferPointer?
    fileprivate private(set) var owned: [UInt8] = []

    package init(_ buffer: UnsafeRawBufferPointer) { borrowed = buffer }

    package init(repeating byte: UInt8, count: Int) { owned = [UInt8](repeating: byte, count: count) }

    package init<S: Sequence>(_ sequence: S) where S.Element == UInt8 { owned = [UInt8](sequence) }

    package var count: Int { borrowed?.count ?? owned.count }

    package func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        if let borrowed { return try body(borrowed) }
        return try owned.withUnsafeBytes(body)
    }

    package mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
        if let bytes = borrowed {
            owned = [UInt8](bytes)
            borrowed = nil
        }
        return try owned.withUnsafeMutableBytes(body)
    }
}

extension Message {
    /// Parses borrowed bytes without copying them first.
    package init(borrowing buffer: UnsafeRawBufferPointer) throws {
        if let message = Self.quickly(buffer) {
            self = message
        } else {
            try self.init(serializedBytes: BorrowedBytes(buffer))
        }
    }

    /// The message's bytes. By way of a type of this module, since protobuf reaches `Array` through its generic code.
    package func wireBytes() throws -> [UInt8] {
        if let bytes = quickBytes { return bytes }
        let bytes: BorrowedBytes = try serializedBytes()
        return bytes.owned
    }
}
