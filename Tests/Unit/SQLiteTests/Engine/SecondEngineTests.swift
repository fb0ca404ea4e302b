// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatreStorage

@testable import SQLite

/// An engine that opens a file while another one has it in use, as the next generation of an instance does.
@Suite(.timeLimit(.minutes(2))) struct SecondEngineTests {
    private let fixture: EngineFixture
    private let path: String

    init() throws {
        fixture = try EngineFixture()
        path = "\(fixture.folder)/theatre.db"
    }

    /// One that writes all the time holds the write lock for all but moments.
    @Test func aCompleteSchemaIsOpenedWithoutTheWriteLock() async throws {
        let list = SQLMigrateRequest.with {
            $0.migrations = [migration("001", "CREATE TABLE {t} (tenant TEXT NOT NULL, n BIGINT NOT NULL)")]
        }
        _ = try await fixture.engine.migrate(list, for: fixture.scope("a"))
        let writing = try Connection(path: path, role: .writer)
        try writing.execute("BEGIN IMMEDIATE")
        var options = EngineOptions()
        options.busyMilliseconds = 20
        options.checksTenants = true
        let second = try EngineFixture.open(path, options)
        #expect(try await second.migrate(list, for: fixture.scope("a")).applied == [])
        let unbound = SQLQueryRequest.with { $0.statement = statement("SELECT n FROM {t}") }
        let error = await failure { try await second.query(unbound, for: fixture.scope("a")) }
        #expect(error?.reason == "sql.tenant_unbound", "it knows which tables have tenants")
        writing.rollback()
        writing.close()
        await second.closeAndWait()
    }

    /// A connection that closes tries whether it was the last one, and whoever comes meanwhile finds the file locked.
    @Test func connectionsThatCloseLockNobodyOut() async throws {
        let closing = (0..<2).map { [path] _ in Task.detached { try await Self.openAndClose(path) } }
        for _ in 0..<5000 {
            let second = try Connection.impatientReader(path: path)
            second.close()
        }
        for task in closing {
            task.cancel()
            try await task.value
        }
    }

    /// Again and again, until the task is cancelled.
    private static func openAndClose(_ path: String) async throws {
        while !Task.isCancelled {
            let connection = try Connection(path: path, role: .reader)
            try connection.run(EventRows.head(.sqlite))
            connection.close()
            await Task.yield()
        }
    }
}
