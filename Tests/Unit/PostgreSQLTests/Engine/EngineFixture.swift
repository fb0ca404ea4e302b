// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PostgreSQLServer
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatreStorage

@testable import PostgreSQL

/// An engine on a database of its own.
final class EngineFixture: Sendable {
    let server: PostgreSQLServer
    let database: String
    let engine: Engine
    /// What an operator was told.
    let warnings = Warnings()

    init(
        server: PostgreSQLServer? = nil, database: String? = nil, _ change: (inout EngineOptions) -> Void = { _ in }
    ) async throws {
        let server = if let server { server } else { try await PostgreSQLServer.shared() }
        let database = if let database { database } else { try await server.makeDatabase() }
        self.server = server
        self.database = database
        engine = try await Self.open(server, database, warnings: warnings, change)
    }

    deinit { engine.close() }

    static func options(_ server: PostgreSQLServer, _ database: String) -> EngineOptions {
        var options = EngineOptions(
            server: ServerOptions(
                addresses: [ServerAddress(host: "127.0.0.1", port: server.port)], database: database,
                user: PostgreSQLServer.user, password: PostgreSQLServer.password))
        options.pool.size = 8
        return options
    }

    static let ids = Atomic<Int>(0)

    /// An engine with a clock that stands still, or is ahead of the machine's by this many milliseconds.
    static func open(
        _ server: PostgreSQLServer, _ database: String, warnings: Warnings = Warnings(),
        clockAhead: Int64? = nil,
        _ change: (inout EngineOptions) -> Void = { _ in }
    ) async throws -> Engine {
        var options = options(server, database)
        change(&options)
        let environment = EngineEnvironment(
            now: { clockAhead.map { machineTime() + $0 } ?? 1_700_000_000_000 },
            newID: { prefix, _ in "\(prefix)_\(ids.add(1, ordering: .relaxed).newValue)" },
            digest: { bytes in
                // FNV-1a: the engine only compares digests.
                let hash = bytes.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
                return (0..<8).map { UInt8(truncatingIfNeeded: hash >> ($0 * 8)) }
            }, warn: { message, fields in warnings.add(message, fields) })
        return try await Engine.open(options, environment)
    }

    func scope(
        _ caller: String, tenant: String = "t1", _ change: (inout HostContext) -> Void = { _ in }
    ) throws -> CallerScope {
        var context = HostContext()
        context.caller = caller
        context.publishes = "a,counter,run,x"
        context.tenant = tenant
        change(&context)
        return try CallerScope(context)
    }

    func migrate(_ caller: String, _ sql: String, name: String = "001") async throws {
        _ = try await engine.migrate(.with { $0.migrations = [migration(name, sql)] }, for: scope(caller))
    }

    func query(_ caller: String, tenant: String = "t1", _ sql: String, _ values: SQLValue...) async throws
        -> [[SQLValue]]
    {
        let request = SQLQueryRequest.with { $0.statement = statement(sql, values) }
        return try await engine.query(request, for: scope(caller, tenant: tenant)).rows.map(\.values)
    }

    @discardableResult
    func commit(_ caller: String, tenant: String = "t1", _ sql: String, _ values: SQLValue...) async throws
        -> SQLCommitResponse
    {
        let request = SQLCommitRequest.with { $0.statements = [statement(sql, values)] }
        return try await engine.commit(request, for: scope(caller, tenant: tenant))
    }
}

/// The machine's clock, in milliseconds since 1970.
func machineTime() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

/// What an engine has told an operator.
final class Warnings: Sendable {
    private let told = Mutex<[(message: String, fields: [String: String])]>([])

    var all: [(message: String, fields: [String: String])] { told.withLock { $0 } }

    func add(_ message: String, _ fields: [String: String]) { told.withLock { $0.append((message, fields)) } }
}

func statement(_ sql: String, _ values: [SQLValue] = [], expect: UInt32? = nil) -> SQLStatement {
    .with {
        $0.sql = sql
        $0.parameters = values
        if let expect { $0.expect = expect }
    }
}

func migration(_ name: String, _ sql: String, engine: String = "") -> SQLMigration {
    .with {
        $0.name = name
        $0.sql = sql
        $0.engine = engine
    }
}

func event(_ type: String, _ aggregate: String, _ data: String = "{}") -> EventsNewEvent {
    .with {
        $0.type = type
        $0.aggregate = aggregate
        $0.data = data
    }
}

/// The error that `body` ends with.
func failure<Output>(_ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Output) async
    -> StorageError?
{
    do {
        _ = try await body()
        Issue.record("nothing was refused", sourceLocation: location)
        return nil
    } catch let error as StorageError {
        return error
    } catch {
        Issue.record("another error: \(error)", sourceLocation: location)
        return nil
    }
}

let entriesTable =
    "CREATE TABLE {entries} (id TEXT NOT NULL, tenant TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (tenant, id));"
