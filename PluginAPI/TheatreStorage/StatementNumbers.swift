// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

/// Numbers that stand for statements, as `Prepare` gives them.
///
/// The oldest are forgotten beyond `capacity`. Numbers begin at a place that differs from start to start, so that one of
/// an earlier instance is unknown and not another statement.
public struct StatementNumbers: Sendable {
    private struct Owned: Hashable {
        var caller: String
        var sql: String
    }

    private let capacity: Int
    private let first: UInt64
    private var count: UInt64 = 0
    private var numbers: [Owned: UInt64] = [:]
    private var statements: [UInt64: Owned] = [:]

    /// Numbers from behind `first`, which is not 0.
    public init(capacity: Int = 10_000, first: UInt64) {
        self.capacity = capacity
        self.first = max(1, first)
    }

    /// The number of a statement of `caller`, the same each time while it is remembered.
    public mutating func number(of sql: String, for caller: String) -> UInt64 {
        let owned = Owned(caller: caller, sql: sql)
        if let number = numbers[owned] { return number }
        let number = first + count
        count += 1
        numbers[owned] = number
        statements[number] = owned
        if count > UInt64(capacity), let forgotten = statements.removeValue(forKey: number - UInt64(capacity)) {
            numbers[forgotten] = nil
        }
        return number
    }

    /// `statement` with its text; FAILED_PRECONDITION `sql.unknown_statement` where its number is none of `caller`.
    public func resolve(_ statement: SQLStatement, for caller: String) throws(StorageError) -> SQLStatement {
        guard statement.statementID != 0 else { return statement }
        guard statement.sql.isEmpty else {
            throw StorageError(
                .invalidArgument, "sql.syntax", "A statement has either a text or a number, and this one has both.")
        }
        guard let owned = statements[statement.statementID], owned.caller == caller else {
            throw StorageError.unknownStatement
        }
        var resolved = statement
        resolved.sql = owned.sql
        return resolved
    }
}
