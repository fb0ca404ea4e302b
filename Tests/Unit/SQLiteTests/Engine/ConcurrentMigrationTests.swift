// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import SQLite

/// Engines of several hosts that migrate one file at the same time.
@Suite(.timeLimit(.minutes(2))) struct ConcurrentMigrationTests {
    private let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private static let list = (1...6).map { number in
        migration(
            "00\(number)",
            """
            CREATE TABLE {t\(number)} (tenant TEXT NOT NULL, n BIGINT NOT NULL);
            INSERT INTO {t\(number)} (tenant, n) VALUES ('t1', \(number));
            """)
    }

    private func migrate(_ engine: Engine) async throws -> [String] {
        try await engine.migrate(.with { $0.migrations = Self.list }, for: fixture.scope("a")).applied
    }

    /// On a file that none of them has made yet.
    @Test(arguments: 0..<40) func eachMigrationIsAppliedOnceAndAllSucceed(_ round: Int) async throws {
        let path = "\(fixture.folder)/shared-\(round).db"
        let engines = try await withThrowingTaskGroup(of: Engine.self) { group in
            for _ in 0..<3 { group.addTask { try EngineFixture.open(path) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for engine in engines { group.addTask { try await migrate(engine) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(applied.flatMap { $0 }.sorted() == Self.list.map(\.name))
        #expect(applied.count { $0.isEmpty } == 2, "a list is one transaction")
        let request = SQLQueryRequest.with { $0.statement = statement("SELECT count(*), sum(n) FROM {t6}") }
        for engine in engines {
            let row = try await engine.query(request, for: fixture.scope("a")).rows[0]
            #expect(row.values.map(\.integer) == [1, 6])
            await engine.closeAndWait()
        }
    }

    /// However long it takes there: a write gives up by then, of the host that waits too.
    @Test func whoComesSecondWaitsUntilTheFirstIsDone() async throws {
        var options = EngineOptions()
        options.busyMilliseconds = 20
        let path = "\(fixture.folder)/shared.db"
        let engine = try EngineFixture.open(path, options)
        let impatient = try EngineFixture.open(path, options)
        let first = try Connection(path: path, role: .writer)
        try first.execute("BEGIN IMMEDIATE")
        async let second = migrate(engine)
        for other in [impatient, engine, engine, impatient] {
            let error = await failure {
                try await other.commit(
                    SQLCommitRequest.with {
                        $0.statements = [statement("DELETE FROM {t1}")]
                    }, for: fixture.scope("a"))
            }
            #expect(error?.reason == "sql.busy")
        }
        first.rollback()
        #expect(try await second == Self.list.map(\.name))
        first.close()
        for engine in [engine, impatient] { await engine.closeAndWait() }
    }
}
