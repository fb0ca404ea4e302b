// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf

/// The bytes of a message on the way of a call: an array that protobuf reaches without its generic code.
struct MessageBytes: SwiftProtobufContiguousBytes {
    private(set) var array: [UInt8]

    init(_ array: [UInt8]) { self.array = array }
    init(repeating byte: UInt8, count: Int) { array = [UInt8](repeating: byte, count: count) }
    init<S: Sequence>(_ sequence: S) where S.Element == UInt8 { array = [UInt8](sequence) }

    var count: Int { array.count }

    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try array.withUnsafeBytes(body)
    }

    mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
        try array.withUnsafeMutableBytes(body)
    }
}
