// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// Reading.
extension Engine {
    /// Checks a statement and numbers it.
    func prepare(_ request: SQLPrepareRequest, for scope: CallerScope) async throws -> SQLPrepareResponse {
        try admit(scope)
        try await readers.run(for: scope) { try $0.check(request.sql, for: scope) }
        return .with { $0.statementID = numbers.withLock { $0.number(of: request.sql, for: scope.caller) } }
    }

    /// `statement` with its text.
    func resolve(_ statement: SQLStatement, for scope: CallerScope) throws(StorageError) -> SQLStatement {
        guard statement.statementID != 0 else { return statement }
        return try numbers.withLock { numbers throws(StorageError) in
            try numbers.resolve(statement, for: scope.caller)
        }
    }

    /// Runs one SELECT on a snapshot, on a reader's thread: ``queryPromptly(_:from:tenant:)`` was asked first, or cannot be.
    func query(_ request: SQLQueryRequest, for scope: CallerScope) async throws -> SQLRows {
        try admit(scope)
        let bounds = bounds(of: request)
        let statement = try resolve(request.statement, for: scope)
        return try await readers.run(for: scope, milliseconds: request.timeoutMs) { connection in
            try connection.run(statement, for: scope, mode: .read, bounds: bounds)
        }
    }

    /// As ``query(_:for:)`` on this thread, for a message that is answered with one; nil where the read is not over at
    /// once. Nothing is made of what is lent where the statement is one that the connection knows by its number.
    func queryPromptly(
        _ payload: UnsafeRawBufferPointer, from caller: UnsafeRawBufferPointer, tenant: UnsafeRawBufferPointer
    ) throws -> [UInt8]? {
        if let query = NumberedQuery(wire: payload) {
            let bounds = Bounds(rows: query.maxRows == 0 ? 10_000 : Int(query.maxRows), bytes: options.answerBytes)
            switch try shortReads.run({ try $0.answer(query, from: caller, tenant: tenant, bounds: bounds) }) {
            case .known(let answer)?: return answer
            case nil: return nil
            case .unknown?: break
            }
        }
        guard let request = SQLQueryRequest(wire: payload), let tenant = String(validating: tenant, as: UTF8.self),
            let caller = String(validating: caller, as: UTF8.self)
        else { return nil }
        return try queryPromptly(request, from: caller, tenant: tenant)
    }

    /// As the other for a message that was read.
    func queryPromptly(_ request: SQLQueryRequest, from caller: String, tenant: String) throws -> [UInt8]? {
        let bounds = bounds(of: request)
        let statement = request.statement
        let found = try shortReads.run { connection -> [UInt8]? in
            let scope = try CallerScope(readerFrom: caller, tenant: tenant)
            guard scope.namespace != .host else { return nil }
            try admit(scope)
            let resolved = try resolve(statement, for: scope)
            let prepared = try connection.prepared(resolved, for: scope, mode: .read)
            connection.numbered.remember(prepared, of: scope, as: statement.statementID)
            return try connection.encoded(prepared, in: scope.namespace, bounds: bounds)
        }
        return found ?? nil
    }

    private func bounds(of request: SQLQueryRequest) -> Bounds {
        Bounds(rows: request.maxRows == 0 ? 10_000 : Int(request.maxRows), bytes: options.answerBytes)
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
                let rows = try await readers.run(for: scope) { thread in
                    try reading.next(while: { thread.isWanted }, until: end)
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
            // Its time ends it as a caller that has gone does; which of them it was shows here.
            if let error = error as? StorageError, error.reason == "sql.cancelled", monotonicNanoseconds() >= end {
                throw StorageError.statementTimeout(milliseconds: Int(request.timeoutMs))
            }
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
