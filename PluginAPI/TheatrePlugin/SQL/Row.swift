// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
public import TheatreContracts

/// A row, read by column name. A wrong name, type or NULL is INTERNAL `sql.column`: a mistake in the plugin.
public struct Row: Sendable {
    /// Names of the columns.
    public let columns: [String]
    /// Values in the order of ``columns``.
    public let values: [SQLValue]

    /// A row of these.
    public init(columns: [String], values: [SQLValue]) {
        self.columns = columns
        self.values = values
    }

    /// The value of a column, of whatever type.
    public func value(_ column: String) throws -> SQLValue {
        guard let index = columns.firstIndex(of: column), index < values.count else {
            throw Self.fault("no column \"\(column)\"; columns: \(columns.joined(separator: ", "))")
        }
        return values[index]
    }

    /// A text; NULL is an error.
    public func text(_ column: String) throws -> String { try require(optionalText(column), column) }
    /// An integer, time or amount; NULL is an error.
    public func int(_ column: String) throws -> Int64 { try require(optionalInt(column), column) }
    /// A double, or an integer as one; NULL is an error.
    public func real(_ column: String) throws -> Double { try require(optionalReal(column), column) }
    /// Bytes; NULL is an error.
    public func blob(_ column: String) throws -> Data { try require(optionalBlob(column), column) }
    /// False for 0, true for 1; NULL is an error.
    public func bool(_ column: String) throws -> Bool { try require(optionalBool(column), column) }

    /// A text, or nil for NULL.
    public func optionalText(_ column: String) throws -> String? {
        switch try value(column).kind {
        case nil: nil
        case .text(let text): text
        case let other?: throw Self.mismatch(column, other, "text")
        }
    }

    /// An integer, or nil for NULL.
    public func optionalInt(_ column: String) throws -> Int64? {
        switch try value(column).kind {
        case nil: nil
        case .integer(let integer): integer
        case let other?: throw Self.mismatch(column, other, "integer")
        }
    }

    /// A double, or nil for NULL.
    public func optionalReal(_ column: String) throws -> Double? {
        switch try value(column).kind {
        case nil: nil
        case .real(let real): real
        case .integer(let integer): Double(integer)
        case let other?: throw Self.mismatch(column, other, "real")
        }
    }

    /// Bytes, or nil for NULL.
    public func optionalBlob(_ column: String) throws -> Data? {
        switch try value(column).kind {
        case nil: nil
        case .blob(let blob): blob
        case let other?: throw Self.mismatch(column, other, "blob")
        }
    }

    /// A boolean, or nil for NULL.
    public func optionalBool(_ column: String) throws -> Bool? {
        switch try value(column).kind {
        case nil: nil
        case .integer(0): false
        case .integer(1): true
        case let other?: throw Self.mismatch(column, other, "boolean, 0 or 1")
        }
    }

    private func require<Value>(_ value: Value?, _ column: String) throws -> Value {
        guard let value else { throw Self.fault("column \"\(column)\" is null") }
        return value
    }

    private static func mismatch(_ column: String, _ found: SQLValue.OneOf_Kind, _ expected: String) -> PluginError {
        let type =
            switch found {
            case .integer, .timestamp: "an integer"
            case .real: "a real"
            case .text, .json: "a text"
            case .blob: "a blob"
            }
        return fault("column \"\(column)\" is \(type), not \(expected)")
    }

    private static func fault(_ message: String) -> PluginError { PluginError(.internal, "sql.column", message) }
}
