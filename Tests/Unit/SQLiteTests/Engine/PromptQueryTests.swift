// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatreStorage

@testable import SQLite

/// Queries whose rows are written as a message where SQLite has them.
struct PromptQueryTests {
    let fixture: EngineFixture

    init() throws { fixture = try EngineFixture() }

    private func promptly(_ request: SQLQueryRequest, from caller: String = "a", tenant: String = "t1") throws
        -> SQLRows?
    {
        let payload: [UInt8] = try request.serializedBytes()
        let answer = try payload.withUnsafeBytes { payload in
            try Array(caller.utf8).withUnsafeBytes { caller in
                try Array(tenant.utf8).withUnsafeBytes { tenant in
                    try fixture.engine.queryPromptly(payload, from: caller, tenant: tenant)
                }
            }
        }
        return try answer.map { try SQLRows(serializedBytes: $0) }
    }

    private func request(_ sql: String, _ values: SQLValue...) -> SQLQueryRequest {
        .with { $0.statement = statement(sql, values) }
    }

    private static let values: [[SQLValue]] = [
        [SQLValue(1), SQLValue(-1), SQLValue(0), SQLValue(Int64.max), SQLValue(Int64.min)],
        [SQLValue(real: 0), SQLValue(real: -1.5), SQLValue(real: 1e308)],
        [SQLValue(""), SQLValue("a"), SQLValue("汴京夢華"), SQLValue(String(repeating: "long ", count: 5000))],
        [SQLValue(Data()), SQLValue(Data([0, 255])), SQLValue(Data(repeating: 7, count: 70_000)), SQLValue()],
        [SQLValue(127), SQLValue(128), SQLValue(16_383), SQLValue(16_384)],
    ]

    /// A SELECT that gives `values` as they are.
    private func request(giving values: [SQLValue]) -> SQLQueryRequest {
        let columns = values.indices.map { "?\($0 + 1) AS v\($0)" }
        return .with { $0.statement = statement("SELECT \(columns.joined(separator: ", "))", values) }
    }

    @Test(arguments: 0..<5) func theMessageIsWhatTheValuesWouldGive(number: Int) async throws {
        let values = Self.values[number]
        let request = request(giving: values)
        let whole = try await fixture.engine.query(request, for: fixture.scope("a"))
        #expect(whole.rows.first?.values == values)
        #expect(try promptly(request) == whole)
        // By number, of which the connection hears first and which it knows then.
        var numbered = request
        numbered.statement.sql = ""
        numbered.statement.statementID = try await fixture.engine.prepare(
            .with { $0.sql = request.statement.sql }, for: fixture.scope("a")
        ).statementID
        for _ in 0..<5 { #expect(try promptly(numbered) == whole) }
    }

    @Test func aValueThatIsNoneIsRefusedByNumberToo() async throws {
        var numbered = request("", SQLValue("a\0b"))
        numbered.statement.statementID = try await fixture.engine.prepare(
            .with { $0.sql = "SELECT ?1 AS v" }, for: fixture.scope("a")
        ).statementID
        for value in [SQLValue("a\0b"), SQLValue("a"), .json("{"), .json("{}"), SQLValue("汴京")] {
            numbered.statement.parameters = [value]
            let isRefused = value == SQLValue("a\0b") || value == .json("{")
            for _ in 0..<3 {
                if isRefused {
                    #expect(await failure { try promptly(numbered) }?.reason == "sql.value")
                } else {
                    #expect(try promptly(numbered)?.rows.count == 1)
                }
            }
        }
    }

    @Test func thereMayBeNoRowsOrMany() async throws {
        for count in [0, 1, 200] {
            let request = request(
                "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200) "
                    + "SELECT i, i * 1000 AS m FROM c WHERE i <= \(count) ORDER BY i")
            let whole = try await fixture.engine.query(request, for: fixture.scope("a"))
            #expect(whole.rows.count == count)
            #expect(try promptly(request) == whole)
        }
    }

    @Test func aTextThatIsNotUTF8IsLeftToTheOtherWay() async throws {
        let request = request("SELECT CAST(?1 AS TEXT) AS odd", SQLValue(Data([0xff, 0x41])))
        #expect(try promptly(request) == nil)
        let rows = try await fixture.engine.query(request, for: fixture.scope("a"))
        #expect(rows.rows.first?.values.first?.text == "\u{FFFD}A")
    }

    @Test func boundsHoldAlike() async throws {
        var few = request("SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 ORDER BY n")
        few.maxRows = 2
        #expect(await failure { try promptly(few) }?.reason == "sql.too_many_rows")
        let half = SQLValue(Data(repeating: 1, count: 600_000))
        let large = request(giving: [half, half])
        #expect(await failure { try promptly(large) }?.reason == "sql.too_large")
        let scope = try fixture.scope("a")
        #expect(await failure { try await fixture.engine.query(large, for: scope) }?.reason == "sql.too_large")
    }

    @Test func aNumberIsFoundForItsCallerAlone() async throws {
        try await fixture.migrate("a", entriesTable)
        try await fixture.commit("a", "INSERT INTO {entries} (id, tenant, n) VALUES ('x', :tenant, 5)")
        let sql = "SELECT n FROM {entries} WHERE tenant = :tenant AND id = ?1"
        let number = try await fixture.engine.prepare(.with { $0.sql = sql }, for: fixture.scope("a")).statementID
        var numbered = request("", SQLValue("x"))
        numbered.statement.statementID = number
        for _ in 0..<3 { #expect(try promptly(numbered)?.rows.first?.values.first?.integer == 5) }
        #expect(try promptly(numbered, tenant: "t2")?.rows.isEmpty == true)
        #expect(await failure { try promptly(numbered, from: "b") }?.reason == "sql.unknown_statement")
        numbered.statement.parameters = []
        #expect(await failure { try promptly(numbered) }?.reason == "sql.parameters")
        numbered.statement.sql = sql
        #expect(await failure { try promptly(numbered) }?.reason == "sql.syntax")
    }

    @Test func anothersTableIsRefused() async throws {
        try await fixture.migrate("a", entriesTable)
        let request = request("SELECT n FROM a__entries")
        #expect(await failure { try promptly(request, from: "b") }?.reason == "sql.foreign_table")
        #expect(try promptly(request, from: "host") == nil)
    }

    /// Reads in a row share a snapshot: one that comes after a commit has a new one.
    @Test func whoIsToldOfACommitSeesItAmongReadsInARow() async throws {
        try await fixture.migrate("a", entriesTable)
        try await fixture.commit("a", "INSERT INTO {entries} (id, tenant, n) VALUES ('x', :tenant, 0)")
        let read = request("SELECT n FROM {entries} WHERE tenant = :tenant AND id = 'x'")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var last: Int64 = 0
                    while last < 300 {
                        for _ in 0..<20 {
                            let now = try promptly(read)?.rows.first?.values.first?.integer ?? last
                            #expect(now >= last)
                            last = now
                        }
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                for number in 1...300 {
                    try await fixture.commit(
                        "a", "UPDATE {entries} SET n = ?1 WHERE tenant = :tenant AND id = 'x'",
                        SQLValue(Int64(number)))
                    for _ in 0..<3 {
                        if let rows = try promptly(read) {
                            #expect(rows.rows.first?.values.first?.integer == Int64(number))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// A snapshot that nobody let go of would keep the log from beginning anew, and it would grow with every write.
    @Test func theLogBeginsAnewAmongReadsInARow() async throws {
        try await fixture.migrate(
            "a", "CREATE TABLE {blobs} (id INTEGER NOT NULL, tenant TEXT NOT NULL, b BLOB, PRIMARY KEY (tenant, id));")
        let read = request("SELECT id FROM {blobs} WHERE tenant = :tenant AND id = 1")
        for number in 0..<60 {
            try await fixture.commit(
                "a", "INSERT INTO {blobs} (id, tenant, b) VALUES (?1, :tenant, ?2)", SQLValue(Int64(number)),
                SQLValue(Data(repeating: 1, count: 1_000_000)))
            for _ in 0..<20 { _ = try promptly(read) }
        }
        let log = try FileManager.default.attributesOfItem(atPath: "\(fixture.folder)/theatre.db-wal")[.size]
        #expect((log as? Int ?? .max) < 40_000_000)
    }
}
