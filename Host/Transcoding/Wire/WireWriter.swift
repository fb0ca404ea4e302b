// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Writes protobuf's wire format.
package struct WireWriter {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int) { bytes.reserveCapacity(capacity) }

    package var count: Int { bytes.count }

    @inline(__always) package mutating func varint(_ value: UInt64) {
        var value = value
        while value > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    @inline(__always) package mutating func tag(_ number: UInt32, _ type: UInt32) {
        varint(UInt64(number) << 3 | UInt64(type))
    }

    package mutating func fixed32(_ value: UInt32) {
        for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * shift))) }
    }

    package mutating func fixed64(_ value: UInt64) {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
    }

    package mutating func append(_ slice: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: slice) }

    /// Begins something that its length precedes; hand the answer to `close`.
    package mutating func open() -> Int {
        bytes.append(0)
        return bytes.count
    }

    /// Writes the length of all since `open`. Most are short, so only the rest is moved.
    package mutating func close(_ start: Int) {
        let length = bytes.count - start
        guard length > 0x7F else {
            bytes[start - 1] = UInt8(truncatingIfNeeded: length)
            return
        }
        var head: [UInt8] = []
        var rest = length
        while rest > 0x7F {
            head.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        head.append(UInt8(truncatingIfNeeded: rest))
        bytes.replaceSubrange(start - 1..<start, with: head)
    }

    package mutating func truncate(to count: Int) { bytes.removeLast(bytes.count - count) }

    /// Gives room to a function that appends, such as one that undoes escapes.
    package mutating func appending<Result>(_ body: (inout [UInt8]) -> Result) -> Result { body(&bytes) }
}
