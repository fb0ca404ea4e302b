// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SwiftProtobuf
import Synchronization
import TheatreContracts

/// What the engine takes from outside, so that it needs neither a clock nor a source of chance of its own.
struct EngineEnvironment: Sendable {
    /// Milliseconds since 1970.
    var now: @Sendable () -> Int64
    /// A new event id for this time.
    var eventID: @Sendable (Int64) -> String
    /// SHA-256.
    var digest: @Sendable ([UInt8]) -> [UInt8]
}

/// How the engine behaves.
struct EngineOptions: Sendable {
    var readers = 2
    var transactionTimeoutMilliseconds = 2000
    var answersRetentionDays = 7
    /// Bytes of rows in one answer; a unary message holds a little more.
    var answerBytes = 1_000_000
    /// Whether the files are gone from their folder as soon as they are open.
    var isTemporary = false
}

/// The database: one writer, several readers, each on a thread of its own.
///
/// Every write runs on the one writer, in order of arrival, so transactions never wait for locks and event offsets are
/// committed in their order.
final class Engine: Sendable {
    let path: String
    let options: EngineOptions
    let environment: EngineEnvironment
    let writer: ConnectionThreads
    let readers: ConnectionThreads
    let head = HeadSignal()
    private let namespaces = Mutex<[String: String]>([:])
    private let cleaned = Atomic<Int64>(0)

    /// Opens the file at `path`, makes the host's tables and starts the threads. Blocks for as long as that takes.
    init(path: String, options: EngineOptions = EngineOptions(), environment: EngineEnvironment) throws {
        self.path = path
        self.options = options
        self.environment = environment
        let connection = try Connection(path: path, role: .writer)
        try HostSchema.install(on: connection, environment)
        head.advance(to: try EventRows.head(connection))
        let pool = try (0..<max(1, options.readers)).map { _ in try Connection(path: path, role: .reader) }
        if options.isTemporary {
            // Every connection holds the files open by now, so they live until the last one closes, however that comes.
            for connection in pool { _ = try EventRows.head(connection) }
            for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
        }
        writer = try ConnectionThreads([connection], name: "sqlite-writer")
        readers = try ConnectionThreads(pool, name: "sqlite-reader")
    }

    deinit { close() }

    /// Lets queued work finish, then closes the connections and ends the threads.
    func close() {
        writer.close()
        readers.close()
    }

    /// Refuses a caller whose tables another caller has: `a-b` and `a_b` share a namespace.
    func admit(_ scope: CallerScope) throws(SQLiteError) {
        let owner = namespaces.withLock { owners in
            let owner = owners[scope.namespace.name] ?? scope.context.caller
            owners[scope.namespace.name] = owner
            return owner
        }
        guard owner == scope.context.caller else {
            throw SQLiteError(
                .permissionDenied, "sql.bad_namespace",
                "The tables of \(scope.context.caller) would be those of \(owner); rename one of the instances.")
        }
    }

    // MARK: Reading

    /// Runs one SELECT on a snapshot.
    func query(_ request: SQLQueryRequest, for scope: CallerScope) async throws -> SQLRows {
        try admit(scope)
        let bounds = Bounds(
            rows: request.maxRows == 0 ? 10_000 : Int(request.maxRows), bytes: options.answerBytes)
        return try await readers.run(for: scope) { connection in
            try connection.run(request.statement, for: scope, mode: .read, bounds: bounds)
        }
    }

    /// The answer stored under a key.
    func findAnswer(_ request: SQLFindAnswerRequest, for scope: CallerScope) async throws -> SQLFindAnswerResponse {
        try await readers.run(for: scope) { try AnswerRows.find(request, on: $0) }
    }

    // MARK: Writing

    /// Runs statements and attachments in one transaction.
    func commit(_ request: SQLCommitRequest, for scope: CallerScope) async throws -> SQLCommitResponse {
        try admit(scope)
        let bounds = Bounds(rows: 10_000, bytes: options.answerBytes)
        let response = try await write(for: scope) { connection in
            var response = SQLCommitResponse()
            for (index, statement) in request.statements.enumerated() {
                do {
                    response.results.append(try connection.runChecked(statement, for: scope, bounds: bounds))
                } catch let error as SQLiteError {
                    throw error.at("/statements/\(index)")
                }
            }
            let changed = response.results.contains { $0.changed > 0 }
            response.lastOffset = try self.attach(request.attachments, changed: changed, for: scope, on: connection)
            return response
        }
        committed(response.lastOffset)
        return response
    }

    /// Opens an interactive transaction once it is its turn.
    func begin(for scope: CallerScope) async throws -> InteractiveTransaction {
        try admit(scope)
        let transaction = InteractiveTransaction(engine: self, scope: scope)
        try await transaction.open()
        return transaction
    }

    /// Stores audit rows that belong to no transaction.
    func appendAudit(_ request: SQLAppendAuditRequest, for scope: CallerScope) async throws {
        let entries = try request.entries.enumerated().map { index, entry in
            do {
                return (entry, try HostContext(serializedBytes: entry.context))
            } catch {
                throw SQLiteError(
                    .invalidArgument, "sql.audit_context", "The context of an audit row cannot be read.",
                    detail: "/entries/\(index)/context")
            }
        }
        _ = try await write(for: scope) { connection in
            for (entry, context) in entries {
                try AuditRows.append(
                    context, at: entry.at, outcome: entry.outcome, reason: entry.reason, count: max(1, entry.count),
                    on: connection)
            }
        }
    }

    /// Runs `body` in a transaction on the writer. The one place where writes pass, so a group commit fits in here.
    func write<Output: Sendable>(
        for scope: CallerScope, _ body: @escaping @Sendable (Connection) throws -> Output
    ) async throws -> Output {
        try await writer.run(for: scope) { connection in
            try connection.transaction { try body(connection) }
        }
    }

    /// Stores what comes with a commit; gives the last event's offset, or 0.
    func attach(
        _ attachments: SQLAttachments, changed: Bool, for scope: CallerScope, on connection: Connection
    ) throws(SQLiteError) -> Int64 {
        let now = environment.now()
        let context = scope.context
        if attachments.hasAnswer { try AnswerRows.store(attachments.answer, context, at: now, on: connection) }
        if context.audit == "change", attachments.hasAnswer || (changed && !context.route.isEmpty) {
            try AuditRows.append(context, at: now, outcome: "changed", reason: "", count: 1, on: connection)
        }
        return try EventRows.append(attachments.events, context, at: now, environment, on: connection)
    }

    /// After a commit: wakes readers of the log and, once an hour, removes what is too old.
    func committed(_ lastOffset: Int64) {
        if lastOffset > 0 { head.advance(to: lastOffset) }
        let now = environment.now()
        let last = cleaned.load(ordering: .relaxed)
        guard now - last >= 3_600_000,
            cleaned.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
        else { return }
        let oldest = now - Int64(options.answersRetentionDays) * 86_400_000
        writer.enqueue { result in
            // What cannot be removed now is removed an hour later.
            if case .success(let connection) = result { AnswerRows.removeOlder(than: oldest, on: connection) }
        }
    }

    // MARK: Self test

    /// Checks the file's structure, and that a write goes through and back.
    func selfTest() async throws {
        let scope = try CallerScope(.with { $0.caller = "host" })
        let path = options.isTemporary ? nil : path
        try await readers.run(for: scope) { reader in
            let own = try path.map { path throws(SQLiteError) in try Connection(path: path, role: .reader) } ?? reader
            let verdict = try own.rows("PRAGMA quick_check(1)").first?.values.first?.text
            guard verdict == "ok" else {
                throw SQLiteError(.dataLoss, "sql.corrupt", "The database is damaged: \(verdict ?? "no verdict").")
            }
        }
        try await writer.run(for: scope) { connection in
            try connection.execute("BEGIN IMMEDIATE")
            defer { connection.rollback() }
            try connection.execute(
                "INSERT INTO host__cursors (consumer, position, moved_at) VALUES ('sqlite/self_test', 0, 0)")
        }
    }
}

extension Connection {
    /// Runs a statement of a transaction and compares what it changed with what was expected.
    func runChecked(_ statement: SQLStatement, for scope: CallerScope, bounds: Bounds) throws(SQLiteError) -> SQLRows {
        let rows = try run(statement, for: scope, mode: .write, bounds: bounds)
        guard !statement.hasExpect || rows.changed == statement.expect else {
            throw SQLiteError(
                .aborted, "sql.expectation", "\(statement.expect) rows should have changed and \(rows.changed) did.")
        }
        return rows
    }
}
