// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import TheatreContracts
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
    private var damage: StorageError?
    private var statements = StatementCache(capacity: 256)

    /// Opens the file at `path`, making it for a writer.
    init(path: String, role: Role, busyMilliseconds: Int = 5000) throws(StorageError) {
        let access = role == .archive ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        let flags = access | SQLITE_OPEN_NOMUTEX | (role == .writer || role == .copy ? SQLITE_OPEN_CREATE : 0)
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let reason = String(cString: sqlite3_errstr(code))
            sqlite3_close_v2(handle)
            handle = nil
            throw StorageError(.unavailable, "sql.open", "\(path) cannot be opened: \(reason).")
        }
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, role == .copy ? 0 : Int32(busyMilliseconds))
        _ = csqlite_set(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
        _ = csqlite_set(handle, SQLITE_DBCONFIG_DQS_DML, 0)
        _ = csqlite_set(handle, SQLITE_DBCONFIG_DQS_DDL, 0)
        for (limit, value) in [
            (SQLITE_LIMIT_LENGTH, 16 << 20), (SQLITE_LIMIT_SQL_LENGTH, 1 << 20), (SQLITE_LIMIT_ATTACHED, 0),
        ] {
            sqlite3_limit(handle, limit, Int32(value))
        }
        authorizer.install(on: handle)
        do throws(StorageError) {
            if role == .writer {
                guard try rows("PRAGMA journal_mode = WAL").first?.values.first?.text == "wal" else {
                    throw StorageError(.failedPrecondition, "sql.open", "\(path) cannot have a write-ahead log.")
                }
            }
            guard role == .writer || role == .reader else { return }
            try execute("PRAGMA synchronous = FULL")
            try execute("PRAGMA foreign_keys = ON")
            try execute("PRAGMA case_sensitive_like = ON")
            try execute("PRAGMA temp_store = MEMORY")
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
        sqlite3_close_v2(handle)
        handle = nil
    }

    /// Runs `body` while `isWanted` says so: when it no longer does, the statement in progress is interrupted.
    func serving<Output>(while isWanted: @escaping () -> Bool, _ body: () throws -> Output) throws -> Output {
        guard isWanted() else { throw StorageError.cancelled }
        authorizer.isWanted = isWanted
        defer { authorizer.isWanted = nil }
        return try body()
    }

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

    // MARK: Transactions

    /// Runs `body` in a transaction of its own: all of it or nothing.
    func transaction<Output>(_ kind: String = "IMMEDIATE", _ body: () throws -> Output) throws -> Output {
        try execute("BEGIN \(kind)")
        do {
            let output = try body()
            try execute("COMMIT")
            return output
        } catch {
            rollback()
            throw error
        }
    }

    /// Begins a transaction that reads, where there is none yet.
    func beginReading() throws(StorageError) {
        guard let handle else { throw .closed }
        if sqlite3_get_autocommit(handle) != 0 { try execute("BEGIN DEFERRED") }
    }

    /// Whether a transaction is open. SQLite ends one by itself where it is interrupted or the disk fails.
    var isInTransaction: Bool { handle.map { sqlite3_get_autocommit($0) == 0 } ?? false }

    /// Refuses a transaction that leaves a reference to a row that is not there; a COMMIT would fail for all of its group.
    func checkDeferredKeys() throws(StorageError) {
        guard handle != nil else { throw .closed }
        guard status(SQLITE_DBSTATUS_DEFERRED_FKS) == 0 else {
            throw StorageError(.failedPrecondition, "sql.foreign_key", "FOREIGN KEY constraint failed.")
        }
    }

    /// Counts ``pagesWritten`` from here.
    func forgetPagesWritten() { _ = status(SQLITE_DBSTATUS_CACHE_WRITE, reset: true) }

    /// Pages that went to the log.
    var pagesWritten: Int32 { status(SQLITE_DBSTATUS_CACHE_WRITE) }

    private func status(_ what: Int32, reset: Bool = false) -> Int32 {
        guard let handle else { return 0 }
        var current: Int32 = 0
        var highest: Int32 = 0
        sqlite3_db_status(handle, what, &current, &highest, reset ? 1 : 0)
        return current
    }

    /// Ends the transaction, if SQLite has not done so by itself.
    func rollback() {
        guard let handle, sqlite3_get_autocommit(handle) == 0 else { return }
        authorizer.mode = .engine
        sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
    }

    // MARK: Statements

    /// Runs a caller's statement.
    func run(_ statement: SQLStatement, for scope: CallerScope, mode: Authorizer.Mode, bounds: Bounds)
        throws(StorageError)
        -> SQLRows
    {
        let prepared = try prepared(statement, for: scope, mode: mode)
        authorizer.namespace = scope.namespace
        authorizer.mode = mode
        defer {
            prepared.reset()
            authorizer.mode = .engine
        }
        var collector = RowCollector(prepared.handle, bounds)
        try step(prepared, into: &collector)
        return collector.rows
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
            prepared = try prepare(text)
            statements[key] = prepared
        }
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
            if let tenant = prepared.text.tenant { try bind(.init(scope.context.tenant), prepared, at: tenant) }
        } catch {
            prepared.reset()
            throw error
        }
        return prepared
    }

    /// Compiles a caller's statement and runs nothing: first as a query, else as a write.
    func check(_ sql: String, for scope: CallerScope) throws(StorageError) {
        let text = try SQLText(sql, in: scope.namespace, for: .write, .sqlite)
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
        var collector = RowCollector(prepared.handle, bounds)
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

    /// The error of the call that just failed with `code`.
    func failure(_ code: Int32) -> StorageError {
        if let refusal = authorizer.refusal, code & 0xFF == SQLITE_AUTH || code & 0xFF == SQLITE_ERROR {
            authorizer.refusal = nil
            return refusal
        }
        guard let handle else { return .closed }
        let message = String(cString: sqlite3_errmsg(handle))
        if let foreign = authorizer.foreignTable(missing: message) { return foreign }
        let error = StorageError(code: code, message: message)
        if error.reason == "sql.corrupt" { damage = error }
        return error
    }

    /// What was found damaged since it was last asked.
    func takeDamage() -> StorageError? {
        defer { damage = nil }
        return damage
    }
}

extension Connection {
    /// Runs all statements of a migration's text, as the namespace.
    func runMigration(_ text: SQLText, in namespace: Namespace) throws(StorageError) {
        authorizer.namespace = namespace
        authorizer.mode = .migrate
        defer { authorizer.mode = .engine }
        var rest = Array(text.sql.utf8CString)[...]
        while rest.count > 1 {
            guard let consumed = try runFirst(of: rest) else { return }
            rest = rest.dropFirst(consumed)
        }
    }

    /// Runs the first statement of `text` and gives its length; nil where only white space and comments are left.
    private func runFirst(of text: ArraySlice<CChar>) throws(StorageError) -> Int? {
        guard let handle else { throw .closed }
        var statement: OpaquePointer?
        authorizer.refusal = nil
        var consumed = 0
        let code = text.withUnsafeBufferPointer { buffer in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(handle, buffer.baseAddress, Int32(buffer.count), &statement, &tail)
            if let tail, let base = buffer.baseAddress { consumed = base.distance(to: tail) }
            return code
        }
        guard code == SQLITE_OK else { throw failure(code) }
        guard let statement else { return nil }
        defer { sqlite3_finalize(statement) }
        var step = sqlite3_step(statement)
        while step == SQLITE_ROW { step = sqlite3_step(statement) }
        guard step == SQLITE_DONE else { throw failure(step) }
        return consumed
    }
}
