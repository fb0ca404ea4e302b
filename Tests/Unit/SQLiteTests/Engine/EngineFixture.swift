// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import SQLite

/// An engine on a file of its own, removed with it.
final class EngineFixture: Sendable {
    let folder: String
    let engine: Engine

    init(options: EngineOptions = EngineOptions()) throws {
        folder = FileManager.default.temporaryDirectory.path + "/theatre-sqlite-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        engine = try Self.open("\(folder)/theatre.db", options)
    }

    deinit {
        engine.close()
        // The engine's threads delete their log while they close, so a file may vanish under the first tries.
        for _ in 0..<1000 where FileManager.default.fileExists(atPath: folder) {
            do { try FileManager.default.removeItem(atPath: folder) } catch { continue }
        }
    }

    /// An engine with a clock that stands still.
    static func open(
        _ path: String, _ options: EngineOptions = EngineOptions(),
        now: @escaping @Sendable () -> Int64 = { 1_700_000_000_000 }
    ) throws -> Engine {
        let ids = Atomic<Int>(0)
        let environment = EngineEnvironment(
            now: now,
            newID: { prefix, _ in "\(prefix)_\(ids.add(1, ordering: .relaxed).newValue)" },
            digest: { bytes in
                // FNV-1a: the engine only compares digests.
                let hash = bytes.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
                return (0..<8).map { UInt8(truncatingIfNeeded: hash >> ($0 * 8)) }
            })
        return try Engine(path: path, options: options, environment: environment)
    }

    func scope(_ caller: String, tenant: String = "t1", _ change: (inout HostContext) -> Void = { _ in }) throws
        -> CallerScope
    {
        var context = HostContext()
        context.caller = caller
        context.publishes = "a,counter,draft,drafts,order,other,run,x"
        context.tenant = tenant
        change(&context)
        return try CallerScope(context)
    }

    func migrate(_ caller: String, _ sql: String, name: String = "001") async throws {
        let request = SQLMigrateRequest.with { $0.migrations = [migration(name, sql)] }
        _ = try await engine.migrate(request, for: scope(caller))
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
