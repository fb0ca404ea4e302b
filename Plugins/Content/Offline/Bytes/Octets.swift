// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Numbers as bytes.
extension [UInt8] {
    /// Appends the lowest `count` bytes of a number, least significant first.
    mutating func little(_ value: Int, _ count: Int) {
        for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }

    /// Appends four bytes, most significant first.
    mutating func big(_ value: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// The number in so many bytes from an index on, least significant first; nil beyond the end.
    func little(at index: Int, _ count: Int) -> Int? {
        guard index >= 0, index + count <= self.count else { return nil }
        return (0..<count).reduce(0) { $0 | Int(self[index + $1]) << (8 * $1) }
    }

    /// Four letters of a chunk's name.
    mutating func letters(_ text: String) { append(contentsOf: text.utf8) }
}
