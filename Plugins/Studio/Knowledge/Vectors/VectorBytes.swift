// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A vector as it is stored: 32-bit floats, the lowest byte first.
enum VectorBytes {
    static func encode(_ vector: [Float]) -> Data {
        var bytes = Data(capacity: vector.count * 4)
        for value in vector {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// Nil where the bytes are no floats.
    static func decode(_ bytes: Data) -> [Float]? {
        guard bytes.count.isMultiple(of: 4) else { return nil }
        return bytes.withUnsafeBytes { raw in
            (0..<(raw.count / 4)).map {
                Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
            }
        }
    }
}
