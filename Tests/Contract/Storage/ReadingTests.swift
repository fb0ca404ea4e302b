// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreContracts
import TheatrePlugin

/// What is read is what was written, by name and type, on every engine.
@Suite(.closing) struct ReadingTests {
    @Test(arguments: Engine.allCases)
    func everyTypeComesBackAsItWasWritten(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        let db = storage.database()
        let picture = Data([0, 1, 255, 0])
        try await db.commit {
            $0.run(
                "INSERT INTO {accounts} (tenant, id, name, amount, ratio, picture) VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)",
                expect: 1, "a", "汴京 ' \" \\ 😀", Int64.max, 0.1, picture)
            $0.run(
                "INSERT INTO {accounts} (tenant, id, name, amount) VALUES (:tenant, ?1, ?2, ?3)", expect: 1, "b",
                SQLValue.json(#"{"a": [1, null]}"#), SQLValue.time(1_750_000_000_000))
        }
        let rows = try await db.read("SELECT id, name, amount, ratio, picture FROM {accounts} ORDER BY id")
        #expect(rows.columns == ["id", "name", "amount", "ratio", "picture"])
        let first = try #require(rows.first), last = try #require(rows.last)
        #expect(try first.text("name") == "汴京 ' \" \\ 😀" && first.int("amount") == .max)
        #expect(try first.real("ratio") == 0.1 && first.blob("picture") == picture)
        #expect(try last.text("name") == #"{"a": [1, null]}"# && last.int("amount") == 1_750_000_000_000)
        #expect(try last.optionalReal("ratio") == nil && last.optionalBlob("picture") == nil)
    }

    @Test(arguments: Engine.allCases)
    func whatIsNoJSONIsRefused(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().read("SELECT ?1 AS text", SQLValue.json("{"))
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test(arguments: Engine.allCases)
    func aSnapshotStandsStillWhileOthersWrite(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(2)
        let db = storage.database()
        let other = storage.database()
        let sums = try await db.read { reader in
            let before = try await reader.rows("SELECT sum(amount) AS n FROM {accounts}")[0].int("n")
            // A call of the test's own, not of the transaction: the test host has no rule against it.
            try await other.commit { $0.run("UPDATE {accounts} SET amount = amount + 1") }
            return (before, try await reader.rows("SELECT sum(amount) AS n FROM {accounts}")[0].int("n"))
        }
        #expect(sums == (200, 200))
        #expect(try await db.read("SELECT sum(amount) AS n FROM {accounts}")[0].int("n") == 202)
    }

    @Test(arguments: Engine.allCases)
    func aReadTransactionWritesNothing(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().read { reader in
                _ = try await reader.rows("INSERT INTO {accounts} (tenant, id) VALUES (:tenant, 'x')")
            }
        }
        #expect(error?.reason == "sql.not_a_query")
        #expect(try await storage.database().read("SELECT id FROM {accounts}").isEmpty)
    }

    @Test(arguments: Engine.allCases)
    func aLargeResultComesAsAStream(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        let text = String(repeating: "x", count: 500)
        for part in 0..<10 {
            try await storage.database().commit {
                for index in 0..<1000 {
                    $0.run(
                        "INSERT INTO {accounts} (tenant, id, name, amount) VALUES (:tenant, ?1, ?2, ?3)",
                        "a\(part)-\(index)", text, part * 1000 + index)
                }
            }
        }
        var next: Int64 = 0
        for try await row in try await storage.database().stream("SELECT amount, name FROM {accounts} ORDER BY amount")
        {
            #expect(try row.int("amount") == next)
            next += 1
        }
        #expect(next == 10_000)
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().read("SELECT amount, name FROM {accounts}")
        }
        #expect(error?.code == .outOfRange)
    }

    @Test(arguments: Engine.allCases)
    func aStreamLeftEarlyHoldsNothingUp(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(900)
        for _ in 0..<20 {
            for try await row in try await storage.database().stream("SELECT a.id FROM {accounts} a, {accounts} b") {
                _ = try row.text("id")
                break
            }
        }
        try await storage.database().commit { $0.run("UPDATE {accounts} SET amount = 1 WHERE id = 'a1'", expect: 1) }
        #expect(try await storage.database().read("SELECT id FROM {accounts} WHERE amount = 1").count == 1)
    }

    @Test(arguments: Engine.allCases)
    func moreRowsThanAskedForIsAnError(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(11)
        #expect(try await storage.database().read("SELECT id FROM {accounts}", maxRows: 11).count == 11)
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().read("SELECT id FROM {accounts}", maxRows: 10)
        }
        #expect(error?.reason == "sql.too_many_rows")
    }

    @Test(arguments: Engine.allCases)
    func aPreparedStatementGivesWhatItsTextGives(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(3)
        let find = PreparedStatement("SELECT amount FROM {accounts} WHERE tenant = :tenant AND id = ?1")
        let add = PreparedStatement("UPDATE {accounts} SET amount = amount + ?2 WHERE tenant = :tenant AND id = ?1")
        for turn in 1...4 {
            try await storage.database().write { tx in try await tx.run(add, expect: 1, "a1", 10) }
            #expect(try await storage.database().read(find, "a1")[0].int("amount") == Int64(100 + turn * 10))
            #expect(try await storage.database(tenant: "t2").read(find, "a1").isEmpty)
        }
        // Another instance's tables, by the same statement.
        try await storage.migrate(as: "other")
        #expect(try await storage.database(as: "other").read(find, "a1").isEmpty)
    }

    /// In bytes, and in a database that sorts otherwise: where the cursor and the sort disagreed rows would be missing.
    @Test(arguments: Engine.meaning)
    func pagesFollowTheOrderOfBytes(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        let names = ["a", "B", "ä", "Z", "_", "aa", "A", "é", "z", "a b", "ab", "-"]
        try await storage.database().commit {
            for name in names { $0.run("INSERT INTO {accounts} (tenant, id, name) VALUES (:tenant, ?1, ?1)", name) }
        }
        let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for (keyset, expected) in [
            (Keyset(.ascending("id")), sorted), (Keyset(.descending("id")), sorted.reversed()),
            (Keyset(.ascending("name"), .ascending("id")), sorted),
        ] {
            var seen: [String] = []
            var cursor = ""
            repeat {
                let page = try await storage.database().page(
                    "SELECT id, name FROM {accounts} WHERE tenant = :tenant", by: keyset, after: cursor, limit: 5)
                seen += try page.rows.map { try $0.text("id") }
                cursor = page.next
            } while !cursor.isEmpty
            #expect(seen == expected)
        }
    }

    @Test(arguments: Engine.allCases)
    func pagesGiveEachRowOnce(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(47, amount: 5)
        try await storage.database().commit { $0.run("UPDATE {accounts} SET amount = 6 WHERE id > 'a3'") }
        for keyset in [
            Keyset(.descending("amount"), .descending("id")), Keyset(.descending("amount"), .ascending("id")),
        ] {
            var seen: [String] = []
            var cursor = ""
            repeat {
                let page = try await storage.database().page(
                    "SELECT id, amount FROM {accounts} WHERE tenant = :tenant AND amount > ?1", by: keyset,
                    after: cursor, limit: 10, 0)
                #expect(page.rows.count <= 10)
                seen += try page.rows.map { try $0.text("id") }
                cursor = page.next
            } while !cursor.isEmpty
            #expect(seen.count == 47 && Set(seen).count == 47)
        }
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().page(
                "SELECT id FROM {accounts} WHERE tenant = :tenant", by: Keyset(.ascending("id")), after: "%%%", limit: 3
            )
        }
        #expect(error?.reason == "sql.bad_cursor")
    }

    @Test(arguments: Engine.allCases)
    func aStatementThatTakesTooLongIsStopped(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(900)
        let endless = "SELECT count(*) AS n FROM {accounts} a, {accounts} b, {accounts} c, {accounts} d"
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().read(endless, options: ReadOptions(timeout: .milliseconds(100)))
        }
        #expect(error?.reason == "sql.statement_timeout" && error?.code == .deadlineExceeded)
        // The connection is of use again.
        #expect(try await storage.database().read("SELECT 1 AS n")[0].int("n") == 1)
    }

    @Test(arguments: Engine.allCases)
    func aCancelledReadReallyStops(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(900)
        let endless = "SELECT count(*) AS n FROM {accounts} a, {accounts} b, {accounts} c, {accounts} d"
        // More at a time than there are connections: unless each stops, the last read waits for good.
        for _ in 0..<3 {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        await #expect(throws: (any Error).self) { try await storage.database().read(endless) }
                    }
                }
                group.cancelAll()
            }
        }
        #expect(try await storage.database().read("SELECT 1 AS n")[0].int("n") == 1)
    }

    /// On its way, in whatever form: more at a time than there are connections, so that the last would wait for good.
    @Test(.timeLimit(.minutes(3)), arguments: Engine.allCases)
    func aCancelledStreamTransactionOrCommitReallyStops(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.fill(900)
        let endless = "SELECT count(*) AS n FROM {accounts} a, {accounts} b, {accounts} c, {accounts} d"
        let change = "UPDATE {accounts} SET amount = (\(endless)) WHERE tenant = :tenant AND id = 'a1'"
        let kinds: [@Sendable (Database) async throws -> Void] = [
            { db in for try await _ in try await db.stream(endless) {} },
            { db in _ = try await db.write { tx in try await tx.run(endless) } },
            { db in _ = try await db.write { tx in try await tx.run(change) } },
            { db in _ = try await db.commit { $0.run(change) } },
        ]
        for kind in kinds {
            for turns in [0, 100, 10_000] {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<12 {
                        group.addTask {
                            await #expect(throws: (any Error).self) { try await kind(storage.database()) }
                        }
                    }
                    for _ in 0..<turns { await Task.yield() }
                    group.cancelAll()
                }
                let rows = try await storage.database().read("SELECT amount FROM {accounts} WHERE id = 'a1'")
                #expect(try rows[0].int("amount") == 100)
                try await storage.database().commit { $0.run("UPDATE {accounts} SET amount = 100 WHERE id = 'a1'") }
            }
        }
    }
}
