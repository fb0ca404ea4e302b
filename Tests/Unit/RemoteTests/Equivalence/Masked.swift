// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a run makes of its own moment and chance, in bytes: times, ids, random tokens. Each becomes as many bytes that
/// say only what it is, and an id the same ones wherever it comes again; all else stays as it is.
struct Mask {
    /// Milliseconds since 1970 within which a number is a time.
    let times: ClosedRange<Int64>
    /// A path that differs, with what stands for it, as many bytes long.
    let paths: [(path: [UInt8], stands: [UInt8])]
    private var ids: [ArraySlice<UInt8>: Int] = [:]

    init(now: Int64, paths: [(path: [UInt8], stands: [UInt8])] = []) {
        times = (now - 3_600_000)...(now + 400 * 86_400_000)
        self.paths = paths
    }

    mutating func callAsFunction(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        for (path, stands) in paths { Self.replace(path, stands, in: &result) }
        maskWords(&result)
        maskDigits(&result)
        maskVarints(&result)
        return result
    }

    mutating func callAsFunction(_ text: String) -> String { String(decoding: self(Array(text.utf8)), as: UTF8.self) }

    private static func replace(_ path: [UInt8], _ stands: [UInt8], in bytes: inout [UInt8]) {
        guard bytes.count >= path.count else { return }
        for start in 0...(bytes.count - path.count) where bytes[start..<start + path.count].elementsEqual(path) {
            bytes.replaceSubrange(start..<start + path.count, with: stands)
        }
    }

    // MARK: words

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private mutating func maskWords(_ bytes: inout [UInt8]) {
        var start = 0
        while start < bytes.count {
            guard Self.isWord(bytes[start]) else {
                start += 1
                continue
            }
            var end = start
            while end < bytes.count, Self.isWord(bytes[end]) { end += 1 }
            maskWord(start..<end, &bytes)
            start = end
        }
    }

    private mutating func maskWord(_ range: Range<Int>, _ bytes: inout [UInt8]) {
        let word = bytes[range]
        let kinds = [
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"),
        ]
        if word.count >= 40, kinds.allSatisfy({ kind in word.contains { kind.contains($0) } }) {
            for index in range { bytes[index] = UInt8(ascii: "x") }
            return
        }
        var start = range.lowerBound
        while start + 26 <= range.upperBound {
            let isPrefixed = start > range.lowerBound && bytes[start - 1] == UInt8(ascii: "_")
            if Self.isULID(bytes[start..<start + 26], isPrefixed: isPrefixed) {
                number(start..<start + 26, &bytes)
                start += 26
            } else if start + 36 <= range.upperBound, Self.isUUID(bytes[start..<start + 36]) {
                number(start..<start + 36, &bytes)
                start += 36
            } else {
                start += 1
            }
        }
    }

    private mutating func number(_ range: Range<Int>, _ bytes: inout [UInt8]) {
        let id = bytes[range]
        let number = ids[id] ?? ids.count
        ids[id] = number
        let text = Array("\(number)".utf8)
        for index in range { bytes[index] = UInt8(ascii: "#") }
        bytes.replaceSubrange(range.lowerBound..<range.lowerBound + text.count, with: text)
    }

    /// 26 characters of Crockford's base 32: a time of this century, or after a prefix whatever the id was made of.
    private static func isULID(_ bytes: ArraySlice<UInt8>, isPrefixed: Bool) -> Bool {
        (isPrefixed || bytes.starts(with: Array("01".utf8)))
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): !Array("ILOU".utf8).contains(byte)
                default: false
                }
            }
    }

    private static func isUUID(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.enumerated().allSatisfy { index, byte in
            if [8, 13, 18, 23].contains(index) { return byte == UInt8(ascii: "-") }
            return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
    }

    // MARK: times

    /// Decimal milliseconds or seconds.
    private func maskDigits(_ bytes: inout [UInt8]) {
        var start = 0
        while start < bytes.count {
            var end = start, value: Int64 = 0
            while end < bytes.count, end - start < 18, let digit = Self.digit(bytes[end]) {
                value = value * 10 + digit
                end += 1
            }
            if (end - start == 13 && times.contains(value)) || (end - start == 10 && times.contains(value * 1000)) {
                for index in start..<end { bytes[index] = UInt8(ascii: "t") }
            }
            start = max(end, start + 1)
        }
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int64(byte) - 48 : nil
    }

    /// Milliseconds as protobuf writes them: six bytes.
    private func maskVarints(_ bytes: inout [UInt8]) {
        guard bytes.count >= 6 else { return }
        var start = 0
        while start + 6 <= bytes.count {
            var value: Int64 = 0
            for (index, byte) in bytes[start..<start + 6].enumerated() { value |= Int64(byte & 0x7f) << (7 * index) }
            let isVarint = bytes[start..<start + 5].allSatisfy { $0 & 0x80 != 0 } && bytes[start + 5] & 0x80 == 0
            guard isVarint, times.contains(value) else {
                start += 1
                continue
            }
            for index in start..<start + 6 { bytes[index] = UInt8(ascii: "t") }
            start += 6
        }
    }
}
