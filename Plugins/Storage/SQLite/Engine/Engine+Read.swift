// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreStorage

/// Reading.
extension Engine {
    /// Checks a statement and numbers it.
    func prepare(_ request: SQLPrepareRequest, for scope: CallerScope) async throws -> SQLPrepareResponse {
        try admit(scope)
        try await readers.run(for: scope) { try $0.check(request.sql, for: scope) }
        return .with { $0.statementID = numbers.withLock { $0.number(of: request.sql, for: scope.context.caller) } }
    }

    /// `statement` with its text.
    func resolve(_ statement: SQLStatement, for scope: CallerScope) throws(StorageError) -> SQLStatement {
        guard statement.statementID != 0 else { return statement }
        return try numbers.withLock { numbers throws(StorageError) in
            try numbers.resolve(statement, for: scope.context.caller)
        }
    }

    /// Runs one SELECT on a snapshot.
    func query(_ request: SQLQueryRequest, for scope: CallerScope) async throws -> SQLRows {
        try admit(scope)
        let bounds = Bounds(
            rows: request.maxRows == 0 ? 10_000 : Int(request.maxRows), bytes: options.answerBytes)
        let statement = try resolve(request.statement, for: scope)
        // The host calls from threads that must not wait for a disk.
        if scope.namespace != .host, scope.isWanted(),
            let rows = try shortReads.run({ try $0.run(statement, for: scope, mode: .read, bounds: bounds) })
        {
            return rows
        }
        return try await readers.run(for: scope, milliseconds: request.timeoutMs) { connection in
            try connection.run(statement, for: scope, mode: .read, bounds: bounds)
        }
    }

    /// Opens a transaction that only reads.
    func beginReading(_ begin: SQLBegin, for scope: CallerScope) async throws -> ReadTransaction {
        try admit(scope)
        let limit = options.transactionTimeoutMilliseconds
        let reading = try await streams.take(waiting: options.streamWaitMilliseconds)
        return ReadTransaction(
            engine: self, scope: scope,
            milliseconds: begin.timeoutMs == 0 ? limit : min(limit, Int(begin.timeoutMs)), on: reading)
    }

    /// Runs one SELECT on a snapshot and gives its rows in pieces to `send`, which holds the statement back.
    func queryStream(
        _ request: SQLQueryRequest, for scope: CallerScope, send: @escaping @Sendable (SQLRows) async throws -> Void
    ) async throws {
        try admit(scope)
        let statement = try resolve(request.statement, for: scope)
        let reading = try await streams.take(waiting: options.streamWaitMilliseconds)
        defer { streams.give(back: reading) }
        let limit = request.maxRows == 0 ? Int.max : Int(request.maxRows)
        let started = monotonicNanoseconds()
        let end = request.timeoutMs == 0 ? UInt64.max : started + UInt64(request.timeoutMs) * 1_000_000
        do {
            try await readers.run(for: scope) { _ in try reading.begin(statement, for: scope, rows: limit) }
            var isFirst = true
            while true {
                let now = monotonicNanoseconds()
                guard now < end else { throw StorageError.statementTimeout(milliseconds: Int(request.timeoutMs)) }
                let left = end == .max ? 0 : UInt32(clamping: max(1, (end - now) / 1_000_000))
                let rows = try await readers.run(for: scope, milliseconds: left) { _ in
                    try reading.next(while: scope.isWanted, until: end)
                }
                if rows.rows.isEmpty, !isFirst { break }
                let isLast = rows.rows.isEmpty
                isFirst = false
                try await sending(rows, send)
                if isLast { break }
            }
            try await readers.run(for: scope) { _ in reading.end() }
        } catch {
            // Whoever has gone, the snapshot must not stay.
            await readers.finish { _ in reading.end() }
            throw error
        }
    }

    /// Sends a piece, giving up on a reader that stands still.
    private func sending(_ rows: SQLRows, _ send: @escaping @Sendable (SQLRows) async throws -> Void) async throws {
        let limit = options.streamStallMilliseconds
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await send(rows) }
            group.addTask {
                try await Task.sleep(for: .milliseconds(limit))
                throw StorageError.statementTimeout(milliseconds: limit)
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
