// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// The rows a statement gave, and how many it changed.
public struct Rows: RandomAccessCollection, Sendable {
    /// Names of the columns, as the statement gives them.
    public let columns: [String]
    /// Rows that an INSERT, UPDATE or DELETE changed.
    public let changed: Int
    private let rows: [[SQLValue]]

    init(columns: [String], rows: [[SQLValue]], changed: Int) {
        self.columns = columns
        self.rows = rows
        self.changed = changed
    }

    /// From a message.
    public init(_ message: SQLRows) {
        columns = message.columns
        rows = message.rows.map(\.values)
        changed = Int(message.changed)
    }

    /// 0.
    public var startIndex: Int { 0 }
    /// How many there are.
    public var endIndex: Int { rows.count }

    /// The row at a position below ``endIndex``.
    public subscript(position: Int) -> Row { Row(columns: columns, values: rows[position]) }
}
