// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import FoundationEssentials
import Glibc
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatreStorage

/// What the engine takes from outside, so that it needs neither a clock nor a source of chance of its own.
struct EngineEnvironment: Sendable {
    /// Milliseconds since 1970.
    var now: @Sendable () -> Int64
    /// A new id with a prefix for this time.
    var newID: @Sendable (String, Int64) -> String
    /// SHA-256.
    var digest: @Sendable ([UInt8]) -> [UInt8]
}

/// How the engine behaves.
struct EngineOptions: Sendable {
    var readers = 2
    var transactionTimeoutMilliseconds = 2000
    var answersRetentionDays = 7
    /// How long a stream waits for one of the connections for streams.
    var streamWaitMilliseconds = 5000
    /// How long a stream's reader may stand still.
    var streamStallMilliseconds = 60_000
    /// How long who waits sleeps before it looks for what other processes wrote.
    var pollNanoseconds: UInt64 = 1_000_000_000
    var group = Writer.Limits()
    /// How long a write waits for another process that writes.
    var busyMilliseconds = 5000
    /// Bytes of rows in one answer; a unary message holds a little more.
    var answerBytes = 1_000_000
    /// Whether a statement on tenants' tables must say whose rows it means.
    var checksTenants = false
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
    let writer: Writer
    let health: Health
    let readers: ConnectionThreads
    let shortReads: ShortReads
    let streams: StreamReadings
    /// Past the last event.
    let head = HeadSignal()
    /// Grows whenever a job may have become due.
    let jobsHead = HeadSignal()
    let numbers: Mutex<StatementNumbers>
    let tenantTables: TenantTables?
    private let namespaces = Mutex<[String: String]>([:])
    private let cleaned = Atomic<Int64>(0)

    /// Opens the file at `path`, makes the host's tables and starts the threads. Blocks for as long as that takes.
    init(
        path: String, options: EngineOptions = EngineOptions(), environment: EngineEnvironment,
        health: Health = Health()
    ) throws {
        self.health = health
        self.path = path
        self.options = options
        self.environment = environment
        csqlite_sort_in(URL(filePath: path).deletingLastPathComponent().path)
        let connection = try Connection(path: path, role: .writer, busyMilliseconds: options.busyMilliseconds)
        try connection.installHostSchema(environment)
        head.advance(to: try connection.run(EventRows.head(.sqlite)))
        let tenantTables = options.checksTenants ? TenantTables() : nil
        self.tenantTables = tenantTables
        numbers = Mutex(StatementNumbers(first: monotonicNanoseconds()))
        let pool = try (0..<max(1, options.readers)).map { _ in try Connection(path: path, role: .reader) }
        // A reader's thread waits for a lock where one of these finds it held.
        let short = try (0..<max(1, options.readers)).map { _ in try Connection.impatientReader(path: path) }
        // A file that is gone cannot be opened later.
        let streaming = try (0..<(options.isTemporary ? 2 : 0)).map { _ in try Connection(path: path, role: .reader) }
        for caller in [connection] + pool + short + streaming { caller.tenantTables = tenantTables }
        if options.isTemporary {
            // Every connection holds the files open by now, so they live until the last one closes, however that comes.
            for connection in pool + short + streaming { try connection.run(EventRows.head(.sqlite)) }
            for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
        }
        streams = StreamReadings(streaming, path: options.isTemporary ? nil : path, tenantTables)
        shortReads = ShortReads(short, health: health)
        readers = try ConnectionThreads(pool, name: "sqlite-reader", health: health)
        writer = try Writer(
            connection, limits: options.group, health: health, shortReads: shortReads, readers: readers)
    }

    deinit { close() }

    /// Lets queued work finish, then closes the connections and ends the threads.
    func close() {
        streams.close()
        writer.close()
        readers.close()
        shortReads.close()
    }

    /// Closes, and returns once no file of the database is open any more.
    func closeAndWait() async {
        close()
        await writer.waitForEnd()
        await readers.waitForEnd()
        await shortReads.waitForEnd()
        await streams.waitForEnd()
    }

    /// Refuses a caller whose tables another caller has: `a-b` and `a_b` share a namespace.
    func admit(_ scope: CallerScope) throws(StorageError) {
        let owner = namespaces.withLock { owners in
            if let owner = owners[scope.namespace.name] { return owner }
            owners[scope.namespace.name] = scope.caller
            return scope.caller
        }
        guard owner == scope.caller else {
            throw StorageError(
                .permissionDenied, "sql.bad_namespace",
                "The tables of \(scope.caller) would be those of \(owner); rename one of the instances.")
        }
    }

    /// The answer stored under a key.
    func findAnswer(_ request: SQLFindAnswerRequest, for scope: CallerScope) async throws -> SQLFindAnswerResponse {
        let plan = AnswerRows.find(request)
        return try await readers.run(for: scope) { try $0.run(plan) }
    }

    // MARK: Writing

    /// Runs statements and attachments in one transaction.
    func commit(_ request: SQLCommitRequest, for scope: CallerScope) async throws -> SQLCommitResponse {
        try admit(scope)
        let bounds = Bounds(rows: 10_000, bytes: options.answerBytes)
        let statements = try request.statements.map { statement in try resolve(statement, for: scope) }
        let response = try await write(for: scope, milliseconds: request.timeoutMs) { connection in
            var results: [SQLRows] = []
            for (index, statement) in statements.enumerated() {
                do throws(StorageError) {
                    results.append(try connection.runChecked(statement, for: scope, bounds: bounds))
                } catch {
                    throw error.at("/statements/\(index)")
                }
            }
            let changed = results.contains { $0.changed > 0 }
            var response = try self.attach(request.attachments, changed: changed, for: scope, on: connection)
            response.results = results
            return response
        }
        committed(response)
        return response
    }

    /// Opens an interactive transaction once it is its turn.
    func begin(_ begin: SQLBegin = SQLBegin(), for scope: CallerScope) async throws -> InteractiveTransaction {
        try admit(scope)
        let limit = options.transactionTimeoutMilliseconds
        let asked = begin.timeoutMs == 0 ? limit : min(limit, Int(begin.timeoutMs))
        let transaction = InteractiveTransaction(engine: self, scope: scope, milliseconds: asked)
        try await transaction.open()
        return transaction
    }

    /// Stores audit rows that belong to no transaction.
    func appendAudit(_ request: SQLAppendAuditRequest, for scope: CallerScope) async throws {
        try await write(HostPlan(AuditRows.append(request)), for: scope)
    }

    /// Runs `body` in a transaction on the writer, which may share its commit with others'; it may run more than once.
    func write<Output: Sendable>(
        for scope: CallerScope, milliseconds: UInt32 = 0,
        _ body: @escaping @Sendable (Connection) throws -> Output
    ) async throws -> Output {
        try await writer.write(for: scope, milliseconds: milliseconds, body)
    }

    /// Stores what comes with a commit.
    func attach(
        _ attachments: SQLAttachments, changed: Bool, for scope: CallerScope, on connection: Connection
    ) throws(StorageError) -> SQLCommitResponse {
        try connection.run(
            Attachments.plan(
                attachments, changed: changed, for: scope, at: environment.now(), newID: environment.newID, .sqlite))
    }

    /// After a commit: wakes those who wait for what was in it.
    func committed(_ response: SQLCommitResponse) {
        if !response.jobIds.isEmpty { jobsChanged() }
        committed(response.lastOffset)
    }

    /// After a commit: wakes readers of the log and, once an hour, removes answers that are too old.
    func committed(_ lastOffset: Int64) {
        if lastOffset > 0 { head.advance(to: lastOffset) }
        let now = environment.now()
        let last = cleaned.load(ordering: .relaxed)
        guard now - last >= 3_600_000,
            cleaned.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
        else { return }
        removeAnswers(before: now - Int64(options.answersRetentionDays) * 86_400_000)
    }

    /// Wakes those who wait for a job.
    func jobsChanged() { jobsHead.advance(to: jobsHead.head + 1) }

    /// A little at a time, so that no writer waits long.
    private func removeAnswers(before time: Int64) {
        writer.enqueue { [weak self] result in
            guard let self, case .success(let connection) = result else { return }
            let limit = 500
            do {
                let removed = try connection.transaction {
                    try connection.run(AnswerRows.remove(before: time, limit: limit))
                }
                if removed == limit { removeAnswers(before: time) }
            } catch {
                // What cannot be removed now is removed an hour later.
                return
            }
        }
    }

    // MARK: Self test

    /// Checks the file's structure, and that a write goes through and back.
    func selfTest() async throws {
        let scope = try CallerScope(.with { $0.caller = "host" })
        let path = options.isTemporary ? nil : path
        try await readers.run(for: scope) { reader in
            let own = try path.map { path throws(StorageError) in try Connection(path: path, role: .reader) } ?? reader
            let verdict = try own.rows("PRAGMA quick_check(1)").first?.values.first?.text
            guard verdict == "ok" else {
                throw StorageError(.dataLoss, "sql.corrupt", "The database is damaged: \(verdict ?? "no verdict").")
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
    func runChecked(_ statement: SQLStatement, for scope: CallerScope, bounds: Bounds) throws(StorageError) -> SQLRows {
        let rows = try run(statement, for: scope, mode: .write, bounds: bounds)
        guard !statement.hasExpect || rows.changed == statement.expect else {
            throw StorageError(
                .aborted, "sql.expectation", "\(statement.expect) rows should have changed and \(rows.changed) did.")
        }
        return rows
    }
}
