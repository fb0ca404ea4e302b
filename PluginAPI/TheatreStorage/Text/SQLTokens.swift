// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A token of SQL text.
public struct SQLToken: Hashable, Sendable {
    /// What it is.
    public enum Kind: Hashable, Sendable {
        /// Keyword, name or number.
        case word
        /// A name in double quotes, backquotes or brackets, or a string in single quotes.
        case quoted
        /// `{name}`.
        case table
        /// `?1`, `:tenant`, `@x`, `$x`.
        case parameter
        case comment
        case punctuation
    }

    /// What it is.
    public var kind: Kind
    /// Where it stands in the text's UTF-8.
    public var range: Range<Int>
}

/// Splits SQL into tokens as SQLite does, as far as names and ends of statements go.
public struct SQLTokenizer {
    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Every token but white space; INVALID_ARGUMENT `sql.syntax` where a token does not end.
    public static func tokens(_ bytes: [UInt8]) throws(StorageError) -> [SQLToken] {
        var tokenizer = SQLTokenizer(bytes)
        var tokens: [SQLToken] = []
        while let token = try tokenizer.next() { tokens.append(token) }
        return tokens
    }

    private func peek(_ offset: Int = 0) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    private mutating func next() throws(StorageError) -> SQLToken? {
        while let byte = peek(), Self.isSpace(byte) { position += 1 }
        guard let byte = peek() else { return nil }
        let start = position
        let kind = try scan(byte)
        return SQLToken(kind: kind, range: start..<position)
    }

    private mutating func scan(_ byte: UInt8) throws(StorageError) -> SQLToken.Kind {
        switch byte {
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
            skip { $0 != UInt8(ascii: "\n") }
            return .comment
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
            skipBlockComment()
            return .comment
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
            try skipQuoted(until: byte)
            return .quoted
        case UInt8(ascii: "["):
            try skipQuoted(until: UInt8(ascii: "]"))
            return .quoted
        case UInt8(ascii: "{"):
            try skipTable()
            return .table
        case UInt8(ascii: "}"):
            throw .syntax("A closing brace has no opening one.")
        case 0:
            throw .syntax("The statement contains a zero byte.")
        // PostgreSQL's full text matches by it; a parameter has a letter behind its sign.
        case UInt8(ascii: "@") where peek(1) == UInt8(ascii: "@"):
            position += 2
            return .punctuation
        case UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "$"):
            position += 1
            skip(while: Self.isName)
            return .parameter
        case _ where Self.isName(byte):
            skip(while: Self.isName)
            return .word
        default:
            position += 1
            return .punctuation
        }
    }

    private mutating func skip(while predicate: (UInt8) -> Bool) {
        while let byte = peek(), predicate(byte) { position += 1 }
    }

    private mutating func skipBlockComment() {
        position += 2
        while position < bytes.count {
            if peek() == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                position += 2
                return
            }
            position += 1
        }
    }

    /// A doubled quote stands for itself, except in brackets.
    private mutating func skipQuoted(until quote: UInt8) throws(StorageError) {
        position += 1
        while let byte = peek() {
            position += 1
            guard byte == quote else { continue }
            guard quote != UInt8(ascii: "]"), peek() == quote else { return }
            position += 1
        }
        throw .syntax("A quoted name or string does not end.")
    }

    private mutating func skipTable() throws(StorageError) {
        position += 1
        let start = position
        skip { Self.isName($0) && $0 < 0x80 && $0 != UInt8(ascii: "$") }
        let name = bytes[start..<position]
        guard let first = name.first, !Self.isDigit(first), peek() == UInt8(ascii: "}") else {
            throw .syntax("Braces hold the name of a table, as in {entries}.")
        }
        position += 1
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isName(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(asciiLowercase(byte))
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || byte >= 0x80
    }
}
