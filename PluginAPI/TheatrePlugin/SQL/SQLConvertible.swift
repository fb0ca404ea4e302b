// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts

/// What may stand for a parameter of a statement; `nil` is NULL.
public protocol SQLConvertible: Sendable {
    /// As it is sent.
    var sqlValue: SQLValue { get }
}

extension SQLValue: SQLConvertible {
    /// Itself.
    public var sqlValue: SQLValue { self }
}

extension Int: SQLConvertible {
    /// An integer.
    public var sqlValue: SQLValue { .with { $0.integer = Int64(self) } }
}

extension Int64: SQLConvertible {
    /// An integer.
    public var sqlValue: SQLValue { .with { $0.integer = self } }
}

extension Int32: SQLConvertible {
    /// An integer.
    public var sqlValue: SQLValue { .with { $0.integer = Int64(self) } }
}

extension UInt32: SQLConvertible {
    /// An integer.
    public var sqlValue: SQLValue { .with { $0.integer = Int64(self) } }
}

extension Bool: SQLConvertible {
    /// 0 or 1.
    public var sqlValue: SQLValue { .with { $0.integer = self ? 1 : 0 } }
}

extension Double: SQLConvertible {
    /// A double.
    public var sqlValue: SQLValue { .with { $0.real = self } }
}

extension String: SQLConvertible {
    /// A text.
    public var sqlValue: SQLValue { .with { $0.text = self } }
}

extension Substring: SQLConvertible {
    /// A text.
    public var sqlValue: SQLValue { .with { $0.text = String(self) } }
}

extension Data: SQLConvertible {
    /// A blob.
    public var sqlValue: SQLValue { .with { $0.blob = self } }
}

extension [UInt8]: SQLConvertible {
    /// A blob.
    public var sqlValue: SQLValue { .with { $0.blob = Data(self) } }
}

extension SQLValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    /// An integer.
    public init(integerLiteral value: Int64) { self = value.sqlValue }
    /// A double.
    public init(floatLiteral value: Double) { self = value.sqlValue }
    /// A text.
    public init(stringLiteral value: String) { self = value.sqlValue }
    /// 0 or 1.
    public init(booleanLiteral value: Bool) { self = value.sqlValue }
    /// NULL.
    public init(nilLiteral: ()) { self = SQLValue() }
}

extension SQLValue {
    /// Milliseconds since 1970, for a BIGINT column.
    public static func time(_ milliseconds: Int64) -> SQLValue { .with { $0.timestamp = milliseconds } }
    /// One JSON value, for a TEXT column; what is no JSON is refused.
    public static func json(_ text: String) -> SQLValue { .with { $0.json = text } }
}

extension SQLStatement {
    /// A statement with its parameters, ?1 first.
    public init(_ sql: String, expect: UInt32? = nil, values: [(any SQLConvertible)?]) {
        self.init()
        self.sql = sql
        parameters = values.map { $0?.sqlValue ?? SQLValue() }
        if let expect { self.expect = expect }
    }
}
