// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import TheatreContracts
import TheatrePlugin

/// Storage by SQL in one SQLite file, and the event log in the same file.
struct SQLite: Plugin, SQLDatabaseContract, EventsLogContract {
    static var operations: [Operation<SQLite>] { sqlDatabaseOperations + eventsLogOperations }

    private let host: PluginHost
    private let configuration: SQLiteConfiguration
    private let opened = OpenedEngine()

    init(_ host: PluginHost, _ configuration: SQLiteConfiguration) throws {
        self.host = host
        self.configuration = configuration
        _ = try configuration.file(in: host.environment)
    }

    func activate() async throws {
        let host = host
        let (path, isTemporary) = try configuration.file(in: host.environment)
        let environment = EngineEnvironment(
            now: { host.now }, eventID: { ULID.next(prefix: "evt", at: $0) }, digest: { Digest.sha256($0) })
        var options = configuration.options
        options.isTemporary = isTemporary
        let engine = try translating { [options] in try Engine(path: path, options: options, environment: environment) }
        // Answers that grew old while nothing ran go at once.
        engine.committed(0)
        opened.set(engine)
        host.log.debug("opened", ["sqlite.readers": String(options.readers)])
    }

    func selfTest() async throws {
        let engine = try opened.get()
        try await translating { try await engine.selfTest() }
    }

    func deactivate() async { opened.take()?.close() }

    // MARK: theatre.sql.v1.Database

    func query(_ request: SQLQueryRequest, _ call: Call) async throws -> SQLRows {
        try await serving(call) { engine, scope in try await engine.query(request, for: scope) }
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
            let transaction = try await engine.begin(for: scope)
            defer { transaction.rollback() }
            while true {
                switch request.step {
                case .statement(let statement):
                    let rows = try await transaction.run(statement)
                    try await output.send(.with { $0.rows = rows })
                case .commit(let attachments):
                    let committed = try await transaction.commit(attachments)
                    return try await output.send(.with { $0.committed = committed })
                case nil:
                    throw SQLiteError(.invalidArgument, "sql.step", "A step is a statement or a commit.")
                }
                guard let next = try await requests.next() else { return }
                request = next
            }
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

    // MARK: -

    private func serving<Output>(
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
    private let engine = Mutex<Engine?>(nil)

    func set(_ engine: Engine) { self.engine.withLock { $0 = engine } }

    func take() -> Engine? {
        engine.withLock { engine in
            defer { engine = nil }
            return engine
        }
    }

    func get() throws -> Engine {
        guard let engine = engine.withLock({ $0 }) else { throw PluginError(SQLiteError.closed) }
        return engine
    }
}
