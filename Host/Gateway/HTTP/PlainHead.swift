// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOHTTP1

/// Reads the head of a plain HTTP/1.1 request where it lies: a known method, a target of printable ASCII, fields of
/// printable ASCII without folds, and at most a Content-Length to say where the body ends.
///
/// It takes a strict part of what the decoder takes, and reads it alike. What is anything else, or might be read in two
/// ways, is the decoder's.
struct PlainHead {
    private(set) var method = HTTPMethod.GET
    private(set) var uri = ""
    private(set) var isKeepAlive = true
    private(set) var headers = RequestHeaders()
    /// Where the field lines stand.
    private(set) var lines = 0..<0
    /// Bytes of the head with the empty line that ends it.
    private(set) var length = 0
    private var hasConnection = false

    /// Why there is no head.
    enum Stop: Error {
        /// It is plain as far as it goes.
        case incomplete
        /// The decoder decides.
        case other
    }

    /// - Parameter known: the Authorization of the connection's last request, which most often comes again.
    init(_ bytes: UnsafeRawBufferPointer, known: String? = nil) throws(Stop) {
        var at = 0
        method = try Self.method(bytes, &at)
        let start = at
        guard at < bytes.count else { throw .incomplete }
        guard bytes[at] == UInt8(ascii: "/") else { throw .other }
        while at < bytes.count, bytes[at] > 0x20, bytes[at] < 0x7F, bytes[at] != UInt8(ascii: "#") { at += 1 }
        guard at < bytes.count else { throw .incomplete }
        uri = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<at]), as: UTF8.self)
        try Self.expect(" HTTP/1.1\r\n", bytes, &at)
        let first = at
        while let (name, value) = try Self.field(bytes, &at) {
            let name = UnsafeRawBufferPointer(rebasing: bytes[name])
            guard take(name, UnsafeRawBufferPointer(rebasing: bytes[value]), known) else { throw .other }
        }
        lines = first..<at - 2
        length = at
    }

    private mutating func take(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ known: String?)
        -> Bool
    {
        switch name.count {
        case 10 where name.isField("connection"):
            guard !hasConnection else { return false }
            hasConnection = true
            if value.isField("keep-alive") { return headers.count(name, value) }
            isKeepAlive = false
            return value.isField("close") && headers.count(name, value)
        case 6 where name.isField("expect"), 7 where name.isField("upgrade"), 16 where name.isField("proxy-connection"),
            17 where name.isField("transfer-encoding"):
            return false
        default: return headers.take(name, value, known: known)
        }
    }

    /// Calls `take` for each of the lines of a head that was read.
    static func forEachField(
        _ lines: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) {
        var at = 0
        while at < lines.count {
            guard let colon = index(of: ":", in: lines, from: at), let end = index(of: "\r", in: lines, from: colon)
            else { return }
            let value = trimmed(lines, colon + 1..<end)
            take(UnsafeRawBufferPointer(rebasing: lines[at..<colon]), UnsafeRawBufferPointer(rebasing: lines[value]))
            at = end + 2
        }
    }

    private static func index(of character: Unicode.Scalar, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let first = bytes.baseAddress,
            let found = memchr(first + start, Int32(character.value), bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - first
    }

    // MARK: Grammar

    private static func method(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) throws(Stop) -> HTTPMethod {
        guard let first = bytes.first else { throw .incomplete }
        let (text, method): (StaticString, HTTPMethod) =
            switch first {
            case UInt8(ascii: "G"): ("GET ", .GET)
            case UInt8(ascii: "D"): ("DELETE ", .DELETE)
            case UInt8(ascii: "H"): ("HEAD ", .HEAD)
            case UInt8(ascii: "O"): ("OPTIONS ", .OPTIONS)
            case UInt8(ascii: "P") where bytes.count < 2: throw .incomplete
            case UInt8(ascii: "P") where bytes[1] == UInt8(ascii: "O"): ("POST ", .POST)
            case UInt8(ascii: "P") where bytes[1] == UInt8(ascii: "U"): ("PUT ", .PUT)
            case UInt8(ascii: "P") where bytes[1] == UInt8(ascii: "A"): ("PATCH ", .PATCH)
            default: throw .other
            }
        try expect(text, bytes, &at)
        return method
    }

    private static func expect(_ text: StaticString, _ bytes: UnsafeRawBufferPointer, _ at: inout Int) throws(Stop) {
        for index in 0..<text.utf8CodeUnitCount {
            guard at < bytes.count else { throw .incomplete }
            guard bytes[at] == text.utf8Start[index] else { throw .other }
            at += 1
        }
    }

    /// The next field's name and value; nil at the empty line.
    @inline(__always)
    private static func field(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) throws(Stop) -> (
        Range<Int>, Range<Int>
    )? {
        let start = at
        while at < bytes.count, isToken(bytes[at]) { at += 1 }
        guard at < bytes.count else { throw .incomplete }
        guard at > start else {
            try expect("\r\n", bytes, &at)
            return nil
        }
        guard bytes[at] == UInt8(ascii: ":") else { throw .other }
        let colon = at
        at = endOfText(bytes, from: colon + 1)
        let value = trimmed(bytes, colon + 1..<at)
        // The decoder takes a tab at the end for a part of the value.
        guard value.isEmpty || bytes[value.upperBound - 1] != 0x09 else { throw .other }
        try expect("\r\n", bytes, &at)
        return (start..<colon, value)
    }

    @inline(__always)
    private static func trimmed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, bytes[end - 1] == 0x20 { end -= 1 }
        return start..<end
    }

    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    @inline(__always)
    private static func isToken(_ byte: UInt8) -> Bool {
        // One bit for each ASCII character that a token may hold.
        let characters: UInt64 = byte < 0x40 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 0x80 && characters >> UInt64(byte & 63) & 1 == 1
    }

    /// Where printable ASCII and tabs end, eight bytes at a time.
    @inline(__always)
    private static func endOfText(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var at = start
        while at < bytes.count {
            while at + 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
                let below = word &- 0x2020_2020_2020_2020
                let delete = (word ^ 0x7F7F_7F7F_7F7F_7F7F) &- 0x0101_0101_0101_0101
                let stops = (below | delete | word) & 0x8080_8080_8080_8080
                guard stops == 0 else {
                    at += stops.trailingZeroBitCount / 8
                    break
                }
                at += 8
            }
            guard at < bytes.count, bytes[at] >= 0x20 && bytes[at] < 0x7F || bytes[at] == 0x09 else { return at }
            at += 1
        }
        return at
    }
}

extension UnsafeRawBufferPointer {
    /// Whether this token is the ASCII word `other`, which is lower-case, in any case.
    @inline(__always)
    func isField(_ other: StaticString) -> Bool {
        guard count == other.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let byte = self[index]
            let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
            guard lower == other.utf8Start[index] else { return false }
        }
        return true
    }

    /// Whether this is the ASCII word `other`, which is lower-case, in any case.
    func isField(lowercase other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count {
            let byte = self[index]
            guard (byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte) == other[index] else { return false }
        }
        return true
    }
}
