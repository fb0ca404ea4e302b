// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Writes length-delimited protobuf fields; what is empty is left out, as proto3 does.
struct WireBytes {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// `field` is below 128.
    mutating func add(_ field: UInt8, _ value: some Collection<UInt8>) {
        let count = value.count
        guard count > 0 else { return }
        begin(field, count)
        bytes.append(contentsOf: value)
    }

    /// A message whose fields 1 and 2 are texts, present even where both are empty.
    mutating func add(_ field: UInt8, pair first: some Collection<UInt8>, _ second: some Collection<UInt8>) {
        begin(field, Self.size(first.count) + Self.size(second.count))
        add(1, first)
        add(2, second)
    }

    /// Bytes of a field below 16 that is not empty; none for an empty one.
    private static func size(_ count: Int) -> Int {
        guard count > 0 else { return 0 }
        return 1 + max(1, (Int.bitWidth - count.leadingZeroBitCount + 6) / 7) + count
    }

    private mutating func begin(_ field: UInt8, _ count: Int) {
        if field < 16 {
            bytes.append(field << 3 | 2)
        } else {
            bytes.append(field << 3 | 0x82)
            bytes.append(field >> 4)
        }
        var length = UInt64(count)
        while length >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: length))
    }

    /// A message of its own, present even where it is empty.
    mutating func add(_ field: UInt8, _ message: [UInt8]) {
        guard message.isEmpty else { return add(field, message[...]) }
        bytes += [field << 3 | 2, 0]
    }
}
