// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A part of a blob.
struct ByteRange: Sendable, Hashable {
    /// The first byte.
    var offset: Int64
    /// How many.
    var count: Int64

    /// The whole.
    init(whole size: Int64) {
        offset = 0
        count = size
    }

    /// As theatre.blob.v1 says it; nil where there is no such byte.
    ///
    /// - Parameters:
    ///   - offset: negative: as many from the end.
    ///   - length: 0: to the end.
    init?(offset: Int64, length: Int64, of size: Int64) {
        guard length >= 0, offset >= 0 || offset > Int64.min else { return nil }
        let first = offset < 0 ? max(0, size + offset) : offset
        // An empty blob is read as a whole; of any other at least a byte.
        guard first < size || (size == 0 && first == 0) else { return nil }
        self.offset = first
        count = length == 0 ? size - first : min(length, size - first)
    }

    /// What a Range field asks for.
    enum Asked: Sendable, Hashable {
        /// Everything: no field, several ranges, or one that is not understood.
        case whole
        case part(ByteRange)
        /// 416.
        case unsatisfiable
    }

    /// Reads `bytes=0-499`, `bytes=500-` or `bytes=-500`. RFC 9110, section 14.
    static func read(_ field: String, of size: Int64) -> Asked {
        guard field.lowercased().hasPrefix("bytes=") else { return .whole }
        let ends = field.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false).map {
            String($0.filter { $0 != " " })
        }
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return .whole
        }
        // A number too large for any file is beyond the end.
        let numbers = ends.map { $0.isEmpty ? nil : Int64($0) ?? .max }
        switch (numbers[0], numbers[1]) {
        case (nil, nil): return .whole
        case (nil, let last?):
            guard last > 0, size > 0 else { return .unsatisfiable }
            let count = min(last, size)
            return .part(ByteRange(offset: size - count, count: count))
        case (let first?, let last):
            if let last, last < first { return .whole }
            guard first < size else { return .unsatisfiable }
            return .part(ByteRange(offset: first, count: min(last ?? .max, size - 1) - first + 1))
        }
    }

    private init(offset: Int64, count: Int64) {
        self.offset = offset
        self.count = count
    }
}
