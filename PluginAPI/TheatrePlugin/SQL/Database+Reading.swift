// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts

extension Database {
    /// Runs one SELECT on a snapshot.
    ///
    /// - Parameter maxRows: more is OUT_OF_RANGE `sql.too_many_rows`; at most 1 MiB comes back in all.
    public nonisolated(nonsending) func read(
        _ statement: some StatementText, maxRows: UInt32 = 10_000, _ values: (any SQLConvertible)?...
    ) async throws -> Rows {
        try await read(statement, options: ReadOptions(maxRows: maxRows), values: values)
    }

    /// Runs one SELECT on a snapshot, within bounds.
    public nonisolated(nonsending) func read(
        _ statement: some StatementText, options: ReadOptions, _ values: (any SQLConvertible)?...
    ) async throws -> Rows {
        try await read(statement, options: options, values: values)
    }

    /// Runs `body` on one snapshot: all its reads see the same moment. Lasts at most 2 s; until its end the host refuses
    /// egress and calls to other plugins.
    public nonisolated(nonsending) func read<Output>(
        maxStaleness: Duration = .zero, _ body: nonisolated(nonsending) (ReadTransaction) async throws -> Output
    ) async throws -> Output {
        let steps = TransactionSteps(try await client.transact(), owner)
        do {
            try await steps.begin(
                .with {
                    $0.readOnly = true
                    $0.maxStalenessMs = maxStaleness.milliseconds
                })
            let output = try await body(ReadTransaction(steps))
            _ = try await steps.commit(SQLAttachments())
            return output
        } catch {
            await steps.abandon()
            throw error
        }
    }

    /// Runs one SELECT whose rows come as they are consumed, however many there are, all of one snapshot.
    public func stream(
        _ statement: some StatementText, options: ReadOptions = ReadOptions(), _ values: (any SQLConvertible)?...
    ) async throws -> RowStream {
        RowStream(try await client.queryStream(options.request(SQLStatement(statement.sql, values: values))))
    }

    /// Reads one page of a list.
    ///
    /// ```swift
    /// let page = try await db.page(
    ///     "SELECT at, id, text FROM {notes} WHERE tenant = :tenant AND owner = ?1",
    ///     by: Keyset(.descending("at"), .descending("id")), after: request.cursor, limit: 50, owner)
    /// ```
    ///
    /// - Parameters:
    ///   - select: ends in its WHERE clause and gives the columns of `keyset`.
    ///   - cursor: ``Page/next`` of the page before; empty for the first.
    ///   - limit: rows of a page.
    /// - Throws: INVALID_ARGUMENT `sql.bad_cursor` for a cursor of another list.
    public func page(
        _ select: String, by keyset: Keyset, after cursor: String, limit: Int, _ values: (any SQLConvertible)?...
    ) async throws -> Page {
        let place =
            cursor.isEmpty ? nil : try PageCursor(text: cursor, count: keyset.columns.count, field: "/cursor").values
        let clause = keyset.clause(after: place, limit: limit + 1, used: values.count)
        let parameters = values + clause.parameters.map { $0 as (any SQLConvertible)? }
        let rows = try await read(
            select + clause.sql, options: ReadOptions(maxRows: UInt32(clamping: limit + 1)), values: parameters)
        guard rows.count > limit, limit > 0 else { return Page(rows: Array(rows), next: "") }
        let last = rows[limit - 1]
        let key = try keyset.columns.map { try last.value($0.plain) }
        return Page(rows: Array(rows.prefix(limit)), next: try PageCursor(key).text)
    }

    nonisolated(nonsending) func read(
        _ statement: some StatementText, options: ReadOptions, values: [(any SQLConvertible)?]
    ) async throws -> Rows {
        if let prepared = statement.prepared {
            do {
                return try await read(prepared, options, values)
            } catch let error as PluginError where error.reason == PluginError.unknownStatement {
                prepared.forget(for: owner)
            }
        }
        return Rows(try await client.query(options.request(SQLStatement(statement.sql, values: values))))
    }

    /// By number, and without the messages that the bytes stand for: a point read takes less time than to make those.
    private nonisolated(nonsending) func read(
        _ statement: PreparedStatement, _ options: ReadOptions, _ values: [(any SQLConvertible)?]
    ) async throws -> Rows {
        let number = try await number(of: statement)
        let parameters = values.map { $0?.sqlValue ?? SQLValue() }
        let caller = client.caller
        guard let request = options.wire(number, parameters) else {
            var numbered = SQLStatement()
            numbered.statementID = number
            numbered.parameters = parameters
            return Rows(try await client.query(options.request(numbered)))
        }
        let bytes = try await caller.unary("Query", bytes: request, CallOptions())
        if let rows = bytes.withUnsafeBytes({ Rows(wire: $0, columns: statement.columns) }) {
            statement.columns = rows.columns
            return rows
        }
        return Rows(try caller.decode(bytes, "Query"))
    }

    nonisolated(nonsending) func number(of statement: PreparedStatement) async throws -> UInt64 {
        if let number = statement.number(for: owner) { return number }
        let number = try await client.prepare(.with { $0.sql = statement.sql }).statementID
        statement.remember(number, for: owner)
        return number
    }
}
