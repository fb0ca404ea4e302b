// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PostgreSQLServer
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import PostgreSQL

struct StreamTests {
    let fixture: EngineFixture

    init() async throws {
        fixture = try await EngineFixture { $0.streamStallMilliseconds = 300 }
    }

    private func stream(_ sql: String, rows: UInt32 = 0, _ send: (SQLRows) async throws -> Void) async throws {
        try await fixture.engine.queryStream(
            .with {
                $0.statement = statement(sql.engineSpecific)
                $0.maxRows = rows
            }, for: fixture.scope("shop"), send: send)
    }

    /// Returns once the server runs no statement of this database that says so.
    private func untilEnded(_ words: String) async throws {
        let running = Step(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'active' AND strpos(query, $1) > 0
            """, [SQLValue(words)])
        while true {
            let outcome = try await fixture.engine.pool.run([running])
            guard outcome.results.first?.rows.first?.values.first?.integer != 0 else { return }
        }
    }

    @Test func everyRowComesOnceInPieces() async throws {
        var next: Int64 = 1
        var pieces = 0
        try await stream("SELECT g FROM generate_series(1, 20000) AS g") { rows in
            pieces += 1
            #expect(rows.columns == (pieces == 1 ? ["g"] : []))
            for row in rows.rows {
                #expect(row.values[0].integer == next)
                next += 1
            }
        }
        #expect(next == 20001 && pieces > 10)
    }

    @Test func anEmptyResultHasItsColumns() async throws {
        var pieces: [SQLRows] = []
        try await stream("SELECT 1 AS one WHERE 1 = 0") { pieces.append($0) }
        #expect(pieces.map(\.columns) == [["one"]] && pieces[0].rows.isEmpty)
    }

    @Test func aBoundOnRowsHolds() async throws {
        let error = await failure {
            try await stream("SELECT g FROM generate_series(1, 20000) AS g", rows: 5000) { _ in }
        }
        #expect(error?.reason == "sql.too_many_rows")
    }

    /// The server is held back: with the reader standing still it sends what fits in between and waits.
    @Test func aReaderThatStandsStillEndsTheStatement() async throws {
        var given = 0
        let error = await failure {
            try await stream("SELECT repeat('x', 1000) FROM generate_series(1, 500000)") { rows in
                given += rows.rows.count
                if given > 300 { try await untilEnded("SELECT repeat") }
            }
        }
        #expect(error?.reason == "sql.statement_timeout" && given < 100_000)
        #expect(try await fixture.query("shop", "SELECT 1").count == 1)
    }

    @Test func aReaderThatFailsGivesTheConnectionBack() async throws {
        struct Enough: Error {}
        for _ in 0..<20 {
            await #expect(throws: Enough.self) {
                try await stream("SELECT g FROM generate_series(1, 200000) AS g") { _ in throw Enough() }
            }
        }
        #expect(try await fixture.query("shop", "SELECT 1").count == 1)
    }
}
