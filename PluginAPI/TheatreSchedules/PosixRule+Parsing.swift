// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension PosixRule {
    /// Reads `TZ` as POSIX and RFC 9636 write it.
    init(parsing text: String) throws(TZifError) {
        var parser = PosixParser(Array(text.utf8))
        try parser.name()
        standard = -(try parser.time(hours: 0...24))
        if parser.isAtEnd {
            summer = nil
            return
        }
        try parser.name()
        var offset = standard + 3600
        if parser.peek != UInt8(ascii: ",") { offset = -(try parser.time(hours: 0...24)) }
        try parser.expect(UInt8(ascii: ","))
        let begin = try parser.change()
        try parser.expect(UInt8(ascii: ","))
        let end = try parser.change()
        guard parser.isAtEnd else { throw .malformed }
        summer = Summer(offset: offset, begin: begin, end: end)
    }
}

private struct PosixParser {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func expect(_ byte: UInt8) throws(TZifError) {
        guard take(byte) else { throw .malformed }
    }

    /// `CEST`, or `<+1030>`.
    mutating func name() throws(TZifError) {
        let start = position
        if take(UInt8(ascii: "<")) {
            while let byte = peek, byte != UInt8(ascii: ">") { _ = take(byte) }
            return try expect(UInt8(ascii: ">"))
        }
        while let byte = peek, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xDF) { _ = take(byte) }
        guard position - start >= 3 else { throw .malformed }
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(hours: ClosedRange<Int>) throws(TZifError) -> Int {
        let isNegative = take(UInt8(ascii: "-"))
        if !isNegative { _ = take(UInt8(ascii: "+")) }
        var seconds = try number(hours) * 3600
        if take(UInt8(ascii: ":")) {
            seconds += try number(0...59) * 60
            if take(UInt8(ascii: ":")) { seconds += try number(0...59) }
        }
        return isNegative ? -seconds : seconds
    }

    mutating func change() throws(TZifError) -> PosixRule.Change {
        let day: PosixRule.Change.Day
        if take(UInt8(ascii: "M")) {
            let month = try number(1...12)
            try expect(UInt8(ascii: "."))
            let week = try number(1...5)
            try expect(UInt8(ascii: "."))
            day = .month(month, week: week, weekday: try number(0...6))
        } else if take(UInt8(ascii: "J")) {
            day = .julian(try number(1...365))
        } else {
            day = .zeroBased(try number(0...365))
        }
        let seconds = take(UInt8(ascii: "/")) ? try time(hours: 0...167) : 7200
        return PosixRule.Change(day: day, seconds: seconds)
    }

    private mutating func number(_ bounds: ClosedRange<Int>) throws(TZifError) -> Int {
        var value = 0
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), position - start < 4 {
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            position += 1
        }
        guard position > start, bounds.contains(value) else { throw .malformed }
        return value
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }
}
