// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Bytes of a file as text: UTF-8, with or without a byte order mark, and nothing else.
enum SourceBytes {
    /// Why bytes are no text that is taken.
    enum Fault: Error, Hashable {
        /// A byte order mark of another encoding, by its name.
        case otherEncoding(String)
        /// The first byte that is not UTF-8, from 0.
        case notUTF8(Int)
        /// A zero byte: no text at all.
        case binary(Int)
    }

    /// - Throws: ``Fault``.
    static func text(_ bytes: [UInt8]) throws(Fault) -> String {
        // UTF-32's mark begins with UTF-16's.
        if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) {
            throw .otherEncoding("UTF-32")
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { throw .otherEncoding("UTF-16") }
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        if let zero = body.firstIndex(of: 0) { throw .binary(zero) }
        guard let text = String(validating: body, as: UTF8.self) else { throw .notUTF8(firstFault(body)) }
        return text
    }

    private static func firstFault(_ bytes: ArraySlice<UInt8>) -> Int {
        var place = bytes.startIndex
        while place < bytes.endIndex {
            guard let length = sequenceLength(bytes[place...]) else { return place }
            place += length
        }
        return bytes.endIndex
    }

    /// The length of the well-formed sequence that `bytes` begins with, by table 3-7 of the Unicode standard.
    private static func sequenceLength(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = bytes.first else { return nil }
        let (length, second): (Int, ClosedRange<UInt8>)
        switch first {
        case 0...0x7F: return 1
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return nil
        }
        let rest = bytes.dropFirst().prefix(length - 1)
        guard rest.count == length - 1, let next = rest.first, second.contains(next),
            rest.dropFirst().allSatisfy({ (0x80...0xBF).contains($0) })
        else { return nil }
        return length
    }
}
