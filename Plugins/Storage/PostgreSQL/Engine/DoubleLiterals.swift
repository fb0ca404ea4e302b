// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreStorage

/// Numbers with a point or an exponent are doubles in the portable subset; to this server they would be decimals.
enum DoubleLiterals {
    /// `sql`, of the portable subset and written for this engine, with each such number cast.
    static func cast(in sql: String) throws(StorageError) -> String {
        let bytes = Array(sql.utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var place = 0
        var before: SQLToken?
        for token in try SQLTokenizer.tokens(bytes) {
            defer { before = token }
            guard token.range.lowerBound >= place else { continue }
            let touches =
                before.map { $0.range.upperBound == token.range.lowerBound && $0.kind != .punctuation } ?? false
            guard !touches, let end = end(of: bytes, from: token.range.lowerBound) else { continue }
            output += bytes[place..<token.range.lowerBound]
            output += "CAST(".utf8
            output += bytes[token.range.lowerBound..<end]
            output += " AS DOUBLE PRECISION)".utf8
            place = end
        }
        output += bytes[place...]
        return String(decoding: output, as: UTF8.self)
    }

    /// Where a double that begins at `start` ends; nil where there is none, or an integer.
    private static func end(of bytes: [UInt8], from start: Int) -> Int? {
        var place = start
        func digits() -> Int {
            let first = place
            while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) { place += 1 }
            return place - first
        }
        var isDouble = false
        var count = digits()
        if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
            place += 1
            count += digits()
            isDouble = true
        }
        guard count > 0 else { return nil }
        guard place < bytes.count, bytes[place] | 0x20 == UInt8(ascii: "e") else { return isDouble ? place : nil }
        let mantissa = place
        place += 1
        if place < bytes.count, bytes[place] == UInt8(ascii: "+") || bytes[place] == UInt8(ascii: "-") { place += 1 }
        return digits() > 0 ? place : isDouble ? mantissa : nil
    }
}
