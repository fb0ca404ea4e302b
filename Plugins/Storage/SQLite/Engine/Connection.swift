// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Glibc
import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// One SQLite connection with its authorizer and its prepared statements. Used by one thread at a time.
final class Connection {
    enum Role: Sendable {
        case writer, reader
        /// Reads a file that nobody writes.
        case archive
        /// Writes a file that nobody else has, without a log of its own.
        case copy
    }

    private(set) var handle: OpaquePointer?
    let authorizer = Authorizer()
    var damage: StorageError?
    private var statements = StatementCache(capacity: 256)
    var numbered = NumberedStatements()
    private let buffer = RowBuffer()
    /// What callers' statements are held to; nil: nothing.
    var tenantTables: TenantTables?

    /// Opens the file at `path`, making it for a writer.
    init(path: String, role: Role, busyMilliseconds: Int = 5000) throws(StorageError) {
        let access = role == .archive ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        let flags = access | SQLITE_OPEN_NOMUTEX | (role == .writer || role == .copy ? SQLITE_OPEN_CREATE : 0)
        // Its log takes the same permissions. Where this fails SQLite says why.
        if flags & SQLITE_OPEN_CREATE != 0 { DatabaseFile.make(path) }
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let reason = String(cString: sqlite3_errstr(code))
            sqlite3_close_v2(handle)
            handle = nil
            throw StorageError(.unavailable, "sql.open", "\(path) cannot be opened: \(reason).")
        }
        sqlite3_extended_result_codes(handle, 1)
        _ = csqlite_set(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
        _ = csqlite_set(handle, SQLITE_DBCONFIG_DQS_DML, 0)
        _ = csqlite_set(handle, SQLITE_DBCONFIG_DQS_DDL, 0)
        for (limit, value) in [
            (SQLITE_LIMIT_LENGTH, 16 << 20), (SQLITE_LIMIT_SQL_LENGTH, 1 << 20), (SQLITE_LIMIT_ATTACHED, 0),
        ] {
            sqlite3_limit(handle, limit, Int32(value))
        }
        authorizer.lockPatience = role == .copy ? 0 : UInt64(busyMilliseconds) * 1_000_000
        authorizer.install(on: handle)
        do throws(StorageError) {
            if role == .writer {
                // SQLite opens what it may not write for reading, and fails later with less to say.
                guard sqlite3_db_readonly(handle, "main") == 0 else {
                    throw StorageError(code: SQLITE_READONLY, message: "\(path) may only be read")
                }
                try beginLog(path, milliseconds: busyMilliseconds)
            }
            guard role == .writer || role == .reader else { return }
            try execute("PRAGMA synchronous = FULL")
            try execute("PRAGMA foreign_keys = ON")
            try execute("PRAGMA case_sensitive_like = ON")
            // In pieces of 2 MB, on files beside the database: between them it is asked whether anybody waits. In memory a
            // sort of any size would be one piece.
            try execute("PRAGMA temp_store = FILE")
            // The log is written back after 16 MB instead of 4: each time costs two fsyncs.
            try execute("PRAGMA wal_autocheckpoint = 4000")
            if role == .reader { try execute("PRAGMA query_only = ON") }
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    /// Finalizes everything; nothing can be run any more.
    func close() {
        statements.removeAll()
        numbered.removeAll()
        sqlite3_close_v2(handle)
        handle = nil
    }

    /// A reader to which a lock that somebody holds is `sql.busy` at once. It is opened with patience: each connection that
    /// closes tries whether it is the last one, and locks the file meanwhile.
    static func impatientReader(path: String) throws(StorageError) -> Connection {
        let connection = try Connection(path: path, role: .reader)
        connection.authorizer.lockPatience = 0
        return connection
    }

    /// Runs `body` while `isWanted` says so: when it no longer does, the statement in progress is interrupted.
    func serving<Output>(while isWanted: @escaping () -> Bool, _ body: () throws -> Output) throws -> Output {
        guard isWanted() else { throw StorageError.cancelled }
        authorizer.isWanted = isWanted
        defer { authorizer.isWanted = nil }
        return try body()
    }

    /// Makes the database one with a write-ahead log. Where several do so to a new file at once, SQLite asks nobody whether
    /// to wait: those that come second are refused.
    private func beginLog(_ path: String, milliseconds: Int) throws(StorageError) {
        let end = monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        while true {
            do throws(StorageError) {
                guard try rows("PRAGMA journal_mode = WAL").first?.values.first?.text == "wal" else {
                    throw StorageError(.failedPrecondition, "sql.open", "\(path) cannot have a write-ahead log.")
                }
                return
            } catch {
                guard error.reason == "sql.busy", monotonicNanoseconds() < end else { throw error }
                usleep(2000)
            }
        }
    }

    /// Whether what is served here is still wanted, for what runs on another connection meanwhile.
    var isWanted: Bool { authorizer.isWanted?() != false }

    /// Runs `body`, whose statement is interrupted when it has been asked so often.
    func serving<Output>(patience: Int, _ body: () throws -> Output) throws -> Output {
        authorizer.patience = patience
        defer { authorizer.patience = nil }
        return try body()
    }

    /// As ``serving(while:_:)``, for at most so many milliseconds.
    func serving<Output>(
        while isWanted: @escaping () -> Bool, milliseconds: UInt32, _ body: () throws -> Output
    ) throws -> Output {
        let deadline = monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        do {
            return try serving(while: { isWanted() && monotonicNanoseconds() < deadline }, body)
        } catch let error as StorageError where error.reason == "sql.cancelled" && monotonicNanoseconds() >= deadline {
            throw StorageError.statementTimeout(milliseconds: Int(milliseconds))
        }
    }

    // MARK: Statements

    /// Runs a caller's statement.
    func run(_ statement: SQLStatement, for scope: CallerScope, mode: Authorizer.Mode, bounds: Bounds)
        throws(StorageError)
        -> SQLRows
    {
        let prepared = try prepared(statement, for: scope, mode: mode)
        return try running(prepared, in: scope.namespace, mode: mode) { () throws(StorageError) in
            var collector = RowCollector(prepared, bounds)
            try step(prepared, into: &collector)
            return collector.rows
        }
    }

    /// What a query by number came to.
    enum NumberedAnswer {
        /// The rows as a message; nil where only ``run(_:for:mode:bounds:)`` can tell them.
        case known([UInt8]?)
        /// Its statement is not known here, or its values need a closer look.
        case unknown
    }

    /// The rows of a SELECT that is known here by its number. What is lent is bound where it lies, and for this run only.
    func answer(
        _ query: NumberedQuery, from caller: UnsafeRawBufferPointer, tenant: UnsafeRawBufferPointer, bounds: Bounds
    ) throws(StorageError) -> NumberedAnswer {
        guard let known = numbered.entry(of: query.number, from: caller) else { return .unknown }
        guard known.statement.bind(lent: query.parameters, tenant: tenant) else {
            known.statement.reset()
            return .unknown
        }
        return .known(try encoded(known.statement, in: known.namespace, bounds: bounds))
    }

    /// The rows of a caller's SELECT as a message; nil where only ``run(_:for:mode:bounds:)`` can tell them.
    func encoded(
        _ prepared: PreparedStatement, in namespace: Namespace, bounds: Bounds
    ) throws(StorageError) -> [UInt8]? {
        try running(prepared, in: namespace, mode: .read) { () throws(StorageError) in
            var encoder = RowEncoder(prepared, bounds, buffer)
            if authorizer.refusal != nil { authorizer.refusal = nil }
            while true {
                let code = sqlite3_step(prepared.handle)
                switch code {
                case SQLITE_ROW: guard try encoder.take() else { return nil }
                case SQLITE_DONE: return encoder.bytes
                default: throw failure(code)
                }
            }
        }
    }

    /// Runs `body` as the namespace; the statement is ready to run again afterwards.
    private func running<Output>(
        _ prepared: PreparedStatement, in namespace: Namespace, mode: Authorizer.Mode,
        _ body: () throws(StorageError) -> Output
    ) throws(StorageError) -> Output {
        if authorizer.namespace != namespace { authorizer.namespace = namespace }
        authorizer.mode = mode
        defer {
            prepared.reset()
            authorizer.mode = .engine
        }
        return try body()
    }

    /// A caller's statement, compiled and with its values.
    func prepared(_ statement: SQLStatement, for scope: CallerScope, mode: Authorizer.Mode) throws(StorageError)
        -> PreparedStatement
    {
        let key = StatementCache.Key(namespace: scope.namespace.name, sql: statement.sql, mode: mode)
        authorizer.namespace = scope.namespace
        authorizer.mode = mode
        defer { authorizer.mode = .engine }
        let prepared: PreparedStatement
        if let cached = statements[key] {
            prepared = cached
        } else {
            let text = try SQLText(statement.sql, in: scope.namespace, for: mode == .read ? .query : .write, .sqlite)
            try tenantTables?.check(text, of: scope.namespace)
            prepared = try prepare(text)
            statements[key] = prepared
        }
        try fill(prepared, statement, tenant: scope.tenant, mode: mode)
        return prepared
    }

    /// Binds the values of `statement`; nothing stays bound where that fails.
    private func fill(
        _ prepared: PreparedStatement, _ statement: SQLStatement, tenant: String, mode: Authorizer.Mode
    ) throws(StorageError) {
        guard statement.parameters.count == prepared.text.parameters else {
            throw StorageError(
                .invalidArgument, "sql.parameters",
                "The statement has \(prepared.text.parameters) parameters and \(statement.parameters.count) values were sent."
            )
        }
        if mode == .read, sqlite3_stmt_readonly(prepared.handle) == 0 {
            throw StorageError(
                .invalidArgument, "sql.not_a_query", "A query only reads; send this statement in a commit.")
        }
        do throws(StorageError) {
            for (index, value) in statement.parameters.enumerated() {
                try value.check()
                try bind(value, prepared, at: index + 1)
            }
            let code = prepared.bind(tenant: tenant)
            guard code == SQLITE_OK else { throw failure(code) }
        } catch {
            prepared.reset()
            throw error
        }
    }

    /// Compiles a caller's statement and runs nothing: first as a query, else as a write.
    func check(_ sql: String, for scope: CallerScope) throws(StorageError) {
        let text = try SQLText(sql, in: scope.namespace, for: .write, .sqlite)
        try tenantTables?.check(text, of: scope.namespace)
        authorizer.namespace = scope.namespace
        authorizer.mode = .write
        defer { authorizer.mode = .engine }
        _ = try prepare(text)
    }

    /// Runs the engine's own statement, bypassing the authorizer.
    @discardableResult
    func execute(_ sql: String, _ values: [SQLValue] = [], bounds: Bounds = .none) throws(StorageError) -> SQLRows {
        authorizer.mode = .engine
        let key = StatementCache.Key(namespace: "", sql: sql, mode: .engine)
        let prepared: PreparedStatement
        if let cached = statements[key] {
            prepared = cached
        } else {
            prepared = try prepare(SQLText(engine: sql, parameters: values.count))
            statements[key] = prepared
        }
        defer { prepared.reset() }
        for (index, value) in values.enumerated() { try bind(value, prepared, at: index + 1) }
        var collector = RowCollector(prepared, bounds)
        try step(prepared, into: &collector)
        return collector.rows
    }

    /// The rows of the engine's own statement.
    func rows(_ sql: String, _ values: [SQLValue] = []) throws(StorageError) -> [SQLRow] {
        try execute(sql, values).rows
    }

    private func prepare(_ text: SQLText) throws(StorageError) -> PreparedStatement {
        guard let handle else { throw .closed }
        var pointer: OpaquePointer?
        authorizer.refusal = nil
        let code = sqlite3_prepare_v3(handle, text.sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, nil)
        guard code == SQLITE_OK else { throw failure(code) }
        guard let pointer else { throw .syntax("There is no statement.") }
        return PreparedStatement(pointer, text)
    }

    private func bind(_ value: SQLValue, _ statement: PreparedStatement, at index: Int) throws(StorageError) {
        let code = statement.bind(value, at: Int32(index))
        guard code == SQLITE_OK else { throw failure(code) }
    }

    private func step(_ statement: PreparedStatement, into collector: inout RowCollector) throws(StorageError) {
        authorizer.refusal = nil
        while true {
            let code = sqlite3_step(statement.handle)
            switch code {
            case SQLITE_ROW: try collector.take()
            case SQLITE_DONE:
                if sqlite3_stmt_readonly(statement.handle) == 0 {
                    collector.rows.changed = UInt32(clamping: sqlite3_changes64(handle))
                }
                return
            default: throw failure(code)
            }
        }
    }

    /// Steps until a piece of about `bytes` is full; true once the statement has no more rows.
    func step(
        _ statement: PreparedStatement, for scope: CallerScope, into collector: inout RowCollector, bytes: Int
    ) throws(StorageError) -> Bool {
        authorizer.refusal = nil
        authorizer.namespace = scope.namespace
        authorizer.mode = .read
        defer { authorizer.mode = .engine }
        while collector.bytes < bytes {
            let code = sqlite3_step(statement.handle)
            switch code {
            case SQLITE_ROW: try collector.take()
            case SQLITE_DONE: return true
            default: throw failure(code)
            }
        }
        return false
    }
}
