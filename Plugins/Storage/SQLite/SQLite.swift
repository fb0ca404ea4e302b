// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// Storage by SQL in one SQLite file, and the event log in the same file.
struct SQLite: Plugin, SQLDatabaseContract, EventsLogContract, JobsQueueContract, LeaseLeasesContract {
    static var operations: [Operation<SQLite>] {
        sqlDatabaseOperations.map { $0.name == promptQuery.name ? promptQuery : $0 } + eventsLogOperations
            + jobsQueueOperations + leaseLeasesOperations + sqlMaintenanceOperations + sqlAuditOperations
    }

    /// A point read takes less time than a task to do it.
    private static var promptQuery: Operation<SQLite> {
        .unary(
            "theatre.sql.v1.Database/Query",
            promptly: { plugin, call in
                guard let (tenant, caller) = call.tenantAndCaller else { return nil }
                let engine = try plugin.opened.get()
                return try translating { try engine.queryPromptly(call.payload, from: caller, tenant: tenant) }
            },
            { plugin, request, call in try await plugin.query(request, call) })
    }

    private let host: PluginHost
    private let configuration: SQLiteConfiguration
    private let opened = OpenedEngine()

    init(_ host: PluginHost, _ configuration: SQLiteConfiguration) throws {
        self.host = host
        self.configuration = configuration
        _ = try configuration.file(in: host.environment)
    }

    /// A damaged database is no reason to fail yet: it can be looked at and replaced. The self-test says so.
    func activate() async throws {
        do {
            opened.set(try open())
            host.log.debug("opened", ["sqlite.readers": String(configuration.readers)])
        } catch let error as PluginError where error.reason == "sql.corrupt" {
            let fix = "Put a backup in its place with `theatre storage restore`."
            opened.fail(PluginError(error.code, error.reason, "\(error.message) \(fix)"))
        }
    }

    /// Why the database could not be opened.
    var damage: PluginError? { opened.damage }

    /// The database's file.
    var file: String { get throws { try configuration.file(in: host.environment).path } }

    private func open() throws -> Engine {
        let host = host
        let (path, isTemporary) = try configuration.file(in: host.environment)
        let environment = EngineEnvironment(
            now: { host.now }, newID: { ULID.next(prefix: $0, at: $1) }, digest: { Digest.sha256($0) })
        var options = configuration.options
        options.isTemporary = isTemporary
        let health = Health { failure in
            if let failure {
                host.log.error("unwritable", ["sqlite.reason": failure.reason])
            } else {
                host.log.notice("writable")
            }
        }
        let engine = try translating { [options] in
            try Engine(path: path, options: options, environment: environment, health: health)
        }
        // Answers that grew old while nothing ran go at once.
        engine.committed(0)
        return engine
    }

    /// Closes the database, lets `body` at its file, and opens it again.
    func replacing(_ check: (Restoring) throws -> Void, _ backup: String) async throws -> SQLBackupProgress {
        let engine = opened.damage == nil ? try opened.get() : nil
        let (path, isTemporary) = try configuration.file(in: host.environment)
        let restoring = Restoring(database: path, backup: backup, now: host.now)
        return try await translating {
            // What follows takes its time: not on the caller's thread.
            await Task.yield()
            guard !isTemporary, engine?.streams.isIdle ?? true else { throw Restoring.inUse }
            try check(restoring)
            _ = opened.take()
            await engine?.closeAndWait()
            let outcome = Result { try restoring.run() }
            // What was damaged and could not be replaced is as damaged as it was.
            if case .failure(let error) = outcome, engine == nil { throw error }
            opened.set(try open())
            return try outcome.get()
        }
    }

    func selfTest() async throws {
        let engine = try opened.get()
        try await translating { try await engine.selfTest() }
    }

    func deactivate() async { await opened.take()?.closeAndWait() }

    // MARK: theatre.sql.v1.Database

    func query(_ request: SQLQueryRequest, _ call: Call) async throws -> SQLRows {
        try await serving(call) { engine, scope in try await engine.query(request, for: scope) }
    }

    func queryStream(_ request: SQLQueryRequest, _ call: Call, _ output: MessageSink<SQLRows>) async throws {
        try await serving(call) { engine, scope in
            try await engine.queryStream(request, for: scope) { try await output.send($0) }
        }
    }

    func prepare(_ request: SQLPrepareRequest, _ call: Call) async throws -> SQLPrepareResponse {
        try await serving(call) { engine, scope in try await engine.prepare(request, for: scope) }
    }

    func commit(_ request: SQLCommitRequest, _ call: Call) async throws -> SQLCommitResponse {
        try await serving(call) { engine, scope in try await engine.commit(request, for: scope) }
    }

    func transact(
        _ input: MessageStream<SQLTransactRequest>, _ call: Call, _ output: MessageSink<SQLTransactResponse>
    ) async throws {
        try await serving(call) { engine, scope in
            var requests = input.makeAsyncIterator()
            // The writer is waited for once there is something to write.
            guard var request = try await requests.next() else { return }
            if request.begin.readOnly {
                return try await reading(request.begin, requests, engine, scope, output)
            }
            let transaction = try await engine.begin(request.begin, for: scope)
            defer { transaction.rollback() }
            if case .begin = request.step {
                try await output.send(.with { $0.rows = SQLRows() })
                guard let next = try await requests.next() else { return }
                request = next
            }
            while true {
                switch request.step {
                case .statement(let statement):
                    let rows = try await transaction.run(statement)
                    try await output.send(.with { $0.rows = rows })
                case .commit(let attachments):
                    let committed = try await transaction.commit(attachments)
                    return try await output.send(.with { $0.committed = committed })
                case .begin:
                    throw StorageError(.invalidArgument, "sql.step", "Only the first step says how to begin.")
                case nil:
                    throw StorageError(.invalidArgument, "sql.step", "A step is a statement or a commit.")
                }
                guard let next = try await requests.next() else { return }
                request = next
            }
        }
    }

    /// A transaction that only reads.
    private func reading(
        _ begin: SQLBegin, _ requests: MessageStream<SQLTransactRequest>.AsyncIterator, _ engine: Engine,
        _ scope: CallerScope, _ output: MessageSink<SQLTransactResponse>
    ) async throws {
        var requests = requests
        let transaction = try await engine.beginReading(begin, for: scope)
        do {
            try await output.send(.with { $0.rows = SQLRows() })
            loop: while let request = try await requests.next() {
                switch request.step {
                case .statement(let statement):
                    let rows = try await transaction.run(statement)
                    try await output.send(.with { $0.rows = rows })
                case .commit(let attachments):
                    guard attachments == SQLAttachments() else {
                        throw StorageError(
                            .invalidArgument, "sql.read_only", "A transaction that only reads stores nothing.")
                    }
                    try await output.send(.with { $0.committed = SQLCommitResponse() })
                    break loop
                case .begin, nil:
                    throw StorageError(.invalidArgument, "sql.step", "A step is a statement or a commit.")
                }
            }
            await transaction.end()
        } catch {
            await transaction.end()
            throw error
        }
    }

    func migrate(_ request: SQLMigrateRequest, _ call: Call) async throws -> SQLMigrateResponse {
        try await serving(call) { engine, scope in try await engine.migrate(request, for: scope) }
    }

    func findAnswer(_ request: SQLFindAnswerRequest, _ call: Call) async throws -> SQLFindAnswerResponse {
        try await serving(call) { engine, scope in try await engine.findAnswer(request, for: scope) }
    }

    func appendAudit(_ request: SQLAppendAuditRequest, _ call: Call) async throws -> SQLAppendAuditResponse {
        try await serving(call) { engine, scope in try await engine.appendAudit(request, for: scope) }
        return SQLAppendAuditResponse()
    }

    // MARK: theatre.events.v1.Log

    func append(_ request: EventsAppendRequest, _ call: Call) async throws -> EventsAppendResponse {
        try await serving(call) { engine, scope in try await engine.append(request, for: scope) }
    }

    func read(_ request: EventsReadRequest, _ call: Call) async throws -> EventsReadResponse {
        try await serving(call) { engine, scope in try await engine.read(request, for: scope) }
    }

    func moveCursor(_ request: EventsMoveCursorRequest, _ call: Call) async throws -> EventsMoveCursorResponse {
        try await serving(call) { engine, scope in try await engine.moveCursor(request, for: scope) }
    }

    func listConsumers(_ request: EventsListConsumersRequest, _ call: Call) async throws -> EventsListConsumersResponse
    {
        try await serving(call) { engine, scope in try await engine.listConsumers(for: scope) }
    }

    func addDeadLetter(_ request: EventsAddDeadLetterRequest, _ call: Call) async throws
        -> EventsAddDeadLetterResponse
    {
        try await serving(call) { engine, scope in try await engine.addDeadLetter(request, for: scope) }
    }

    func listDeadLetters(_ request: EventsListDeadLettersRequest, _ call: Call) async throws
        -> EventsListDeadLettersResponse
    {
        try await serving(call) { engine, scope in try await engine.listDeadLetters(request, for: scope) }
    }

    func resolveDeadLetters(_ request: EventsResolveDeadLettersRequest, _ call: Call) async throws
        -> EventsResolveDeadLettersResponse
    {
        try await serving(call) { engine, scope in try await engine.resolveDeadLetters(request, for: scope) }
    }

    func trim(_ request: EventsTrimRequest, _ call: Call) async throws -> EventsTrimResponse {
        try await serving(call) { engine, scope in try await engine.trim(request, for: scope) }
    }

    func previewTrim(_ request: EventsPreviewTrimRequest, _ call: Call) async throws -> EventsPreviewTrimResponse {
        try await serving(call) { engine, scope in try await engine.look(EventRows.previewTrim(request), for: scope) }
    }

    // MARK: -

    func serving<Output>(
        _ call: Call, _ body: (Engine, CallerScope) async throws -> Output
    ) async throws -> Output {
        let engine = try opened.get()
        return try await translating {
            try await body(engine, try CallerScope(call.context, isWanted: { call.isWanted }))
        }
    }
}

/// The engine between activation and the end.
private final class OpenedEngine: Sendable {
    private let current = Atomic<Unmanaged<Engine>?>(nil)
    /// All there were: one that was taken may be about to be used. There is a second only after a restore.
    private let engines = Mutex<[Engine]>([])
    private let failure = Mutex<PluginError?>(nil)

    /// Why there is none.
    var damage: PluginError? { failure.withLock { $0 } }

    func set(_ engine: Engine) {
        engines.withLock { $0.append(engine) }
        failure.withLock { $0 = nil }
        current.store(.passUnretained(engine), ordering: .releasing)
    }

    /// There is none, and whoever asks is told why.
    func fail(_ error: PluginError) { failure.withLock { $0 = error } }

    func take() -> Engine? { current.exchange(nil, ordering: .acquiringAndReleasing)?.takeUnretainedValue() }

    func get() throws -> Engine {
        guard let engine = current.load(ordering: .acquiring) else { throw damage ?? PluginError(StorageError.closed) }
        return engine.takeUnretainedValue()
    }
}
