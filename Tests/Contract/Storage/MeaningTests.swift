// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreContracts
import TheatrePlugin

/// The portable subset means the same on every engine.
@Suite(.closing) struct MeaningTests {
    static let meanings: [(String, SQLValue)] = [
        ("SELECT 'abc' LIKE 'AB%'", 0), ("SELECT 'abc' LIKE 'ab%'", 1), ("SELECT 'a' < 'B'", 0),
        ("SELECT 'Z' < 'a'", 1), ("SELECT 'é' > 'z'", 1), ("SELECT 7 / 2", 3), ("SELECT -7 / 2", -3),
        ("SELECT 7 % 3", 1), ("SELECT 1 = 1", 1), ("SELECT NOT 1 = 1", 0), ("SELECT NULL IS NULL", 1),
        ("SELECT coalesce(NULL, 'x')", "x"), ("SELECT 'a' || 'b'", "ab"), ("SELECT length('汴京')", 2),
        ("SELECT upper('abc')", "ABC"), ("SELECT substr('汴京城', 2, 1)", "京"), ("SELECT abs(-3)", 3),
        ("SELECT CASE WHEN 1 < 2 THEN 'y' ELSE 'n' END", "y"), ("SELECT nullif(1, 1)", nil),
        ("SELECT sum(amount) FROM {accounts}", 6), ("SELECT count(*) FROM {accounts}", 3),
        ("SELECT sum(amount) FROM {accounts} WHERE id = 'none'", nil), ("SELECT avg(amount) FROM {accounts}", 2.0),
        ("SELECT max(amount) FROM {accounts}", 3), ("SELECT sum(ratio) FROM {accounts}", 1.5),
        ("SELECT id FROM {accounts} ORDER BY name ASC NULLS FIRST, id LIMIT 1", "a2"),
        ("SELECT id FROM {accounts} ORDER BY name DESC NULLS LAST, id LIMIT 1", "a1"),
        ("SELECT id FROM {accounts} ORDER BY name, id LIMIT 1", "a2"),
        ("SELECT id FROM {accounts} ORDER BY name DESC, id LIMIT 1", "a1"),
        ("SELECT id FROM {accounts} AS a ORDER BY a.name DESC, id DESC LIMIT 1 OFFSET 2", "a2"),
        ("SELECT id FROM {accounts} ORDER BY nullif(amount, 1) LIMIT 1", "a0"),
        ("SELECT nullif(amount, 1) FROM {accounts} ORDER BY 1 LIMIT 1", nil),
        ("SELECT nullif(amount, 1) AS amount FROM {accounts} ORDER BY amount LIMIT 1", nil),
        (
            """
            SELECT id FROM (SELECT id, row_number() OVER (ORDER BY name) AS n FROM {accounts}) AS x WHERE n = 1
            """, "a2"
        ),
        (
            """
            SELECT a.id FROM {accounts} AS a LEFT JOIN {accounts} AS b ON b.id = a.id AND b.amount < 3
            ORDER BY b.amount LIMIT 1
            """, "a2"
        ),
        ("SELECT count(*) FROM {accounts} WHERE (amount, id) > (1, 'a0')", 2),
        ("SELECT count(*) FROM {accounts} WHERE id IN ('a0', 'a2')", 2),
        ("SELECT EXISTS (SELECT 1 FROM {accounts} WHERE id = 'a0')", 1),
        ("SELECT row_number() OVER (ORDER BY amount DESC) FROM {accounts} ORDER BY amount LIMIT 1", 3),
        ("SELECT CAST('12' AS BIGINT)", 12), ("SELECT CAST(0.1 AS REAL) + CAST(0.2 AS REAL)", 0.30000000000000004),
        ("SELECT replace('aXb', 'X', '-')", "a-b"), ("SELECT trim('  x ')", "x"),
        ("SELECT amount > 1 FROM {accounts} WHERE id = 'a0'", 0),
        ("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n", 15),
        // Texts, byte by byte, wherever they come from.
        ("SELECT 'a' > 'B'", 1), ("SELECT 'a' BETWEEN 'B' AND 'Z'", 0), ("SELECT max(name) FROM {accounts}", "ä"),
        ("SELECT id FROM {accounts} WHERE name > 'Z' ORDER BY name DESC LIMIT 1", "a1"),
        ("WITH x (k) AS (VALUES ('a'), ('B')) SELECT k FROM x ORDER BY k LIMIT 1", "B"),
        ("SELECT 'a' AS k UNION ALL SELECT 'B' ORDER BY k LIMIT 1", "B"),
        ("SELECT CASE WHEN amount > 1 THEN 'a' ELSE 'B' END AS k FROM {accounts} ORDER BY k LIMIT 1", "B"),
        ("SELECT lower('É')", "É"), ("SELECT upper(name) FROM {accounts} WHERE id = 'a1'", "ä"),
        ("SELECT CAST(amount AS TEXT) || 'x' FROM {accounts} ORDER BY 1 DESC LIMIT 1", "3x"),
        // A backslash is a letter like another.
        ("SELECT 'a\\b' LIKE 'a\\b'", 1), ("SELECT 'a\\' LIKE '%\\'", 1), ("SELECT 'a%' LIKE 'a\\%' ESCAPE '\\'", 1),
        ("SELECT 'axb' NOT LIKE 'a' || '\\' || '_b' AND 1 = 1", 1),
        ("SELECT CASE WHEN 'a\\' LIKE CASE WHEN 1 = 1 THEN 'a\\' ELSE 'x' END THEN 1 ELSE 0 END", 1),
        // Whole numbers stay whole, of 64 bits.
        ("SELECT sum(amount) / 4 FROM {accounts}", 1), ("SELECT coalesce(sum(amount), 0) / 4 FROM {accounts}", 1),
        ("WITH x (n) AS (SELECT sum(amount) FROM {accounts}) SELECT n / 4 FROM x", 1),
        ("SELECT sum(amount) OVER (ORDER BY id) / 2 AS n FROM {accounts} ORDER BY id LIMIT 1", 0),
        ("SELECT sum(amount) FILTER (WHERE amount > 1) / 2 FROM {accounts}", 2),
        ("SELECT sum(ratio) / 2 FROM {accounts}", 0.75), ("SELECT avg(amount) / 4 FROM {accounts}", 0.5),
        ("SELECT 1000 * 60 * 60 * 24 * 30", 2_592_000_000), ("SELECT 2147483647 + 1", 2_147_483_648),
        ("SELECT 7 / 2.0", 3.5), ("SELECT -7 % 3", -1), ("SELECT 5 - -3", 8), ("SELECT - 7 + 2", -5),
        // What is cut off, is cut off.
        ("SELECT CAST(1.7 AS BIGINT)", 1), ("SELECT CAST(-1.7 AS INTEGER)", -1), ("SELECT CAST(2.5 AS BIGINT)", 2),
        ("SELECT CAST(ratio * 3 AS BIGINT) FROM {accounts} LIMIT 1", 1), ("SELECT CAST(NULL AS BIGINT)", nil),
        ("SELECT CAST(' 12x' AS BIGINT)", 12), ("SELECT CAST('x' AS BIGINT)", 0), ("SELECT CAST(1 < 2 AS BIGINT)", 1),
        ("SELECT 'a' || NULL", nil), ("SELECT NULL = NULL", nil), ("SELECT 1 WHERE NULL OR 1 = 1", 1),
    ]

    /// With values of ?1 and ?2.
    static let asked: [(String, SQLValue, SQLValue, SQLValue)] = [
        ("SELECT id FROM {accounts} WHERE name LIKE ?1 AND amount = ?2", "\\%", 1, nil),
        ("SELECT ?1 LIKE ?2", "a\\b", "a\\b", 1), ("SELECT lower(?1) || upper(?2)", "ÄB", "äb", "ÄbäB"),
        ("SELECT CAST(?1 AS TEXT) < CAST(?2 AS TEXT)", "a", "B", 0), ("SELECT CAST(?1 * 1 AS BIGINT) + ?2", 1.9, 1, 2),
        ("SELECT coalesce(?1, ?2)", nil, "x", "x"), ("SELECT ?1 / ?2", 7, 2, 3),
        ("SELECT sum(amount * ?1) / ?2 FROM {accounts}", 1, 4, 1),
        (
            "SELECT count(*) FROM {accounts} WHERE (CAST(?1 AS BIGINT) IS NULL OR amount < ?1) AND amount > ?2", nil, 0,
            3
        ),
    ]

    @Test(arguments: Engine.meaning)
    func aStatementWithValuesMeansTheSame(_ engine: Engine) async throws {
        let storage = try await filled(engine)
        for (sql, first, second, expected) in Self.asked {
            do {
                let rows = try await storage.database().read(sql, first, second)
                let values: [SQLValue] = rows.first?.values ?? []
                #expect(values == [expected] || values.isEmpty && expected == nil, "\(sql)")
            } catch {
                Issue.record("\(sql): \(error)")
            }
        }
    }

    /// What one engine would take and another would not, or would understand otherwise.
    static let refused = [
        "SELECT id FROM {accounts} WHERE id IN ()", "SELECT 1 = '1'", "SELECT '5' > 4", "SELECT 1 IN ('1', '2')",
        "SELECT id FROM {accounts} LIMIT -1", "SELECT id FROM {accounts} LIMIT 1 OFFSET -1",
        "SELECT substr(id, 0, 1) FROM {accounts}", "SELECT substr(id, -1) FROM {accounts}",
        "SELECT 9223372036854775808", "SELECT amount / 0 FROM {accounts}", "SELECT 1 /* a /* b */",
        "SELECT tenant FROM {accounts} GROUP BY tenant HAVING amount > 1",
        "SELECT tenant FROM {accounts} GROUP BY tenant ORDER BY amount", "SELECT count(*) FROM {accounts} ORDER BY id",
        "SELECT DISTINCT tenant FROM {accounts} ORDER BY id",
    ]

    @Test(arguments: Engine.meaning)
    func whatWouldMeanSomethingElseIsRefused(_ engine: Engine) async throws {
        let storage = try await filled(engine)
        for sql in Self.refused {
            let error = await #expect(throws: PluginError.self, "\(sql)") {
                try await storage.database().read(sql)
            }
            #expect(error?.reason == "sql.not_portable", "\(sql): \(String(describing: error))")
        }
    }

    /// A column has a type, and holds values of it.
    @Test(arguments: Engine.meaning)
    func aColumnHoldsWhatItsTypeSays(_ engine: Engine) async throws {
        let storage = try await filled(engine)
        let wrong: [(String, SQLValue)] = [
            ("amount", "many"), ("ratio", "half"), ("picture", "text"),
        ]
        for (column, value) in wrong {
            let error = await #expect(throws: PluginError.self, "\(column)") {
                try await storage.database().commit {
                    $0.run("UPDATE {accounts} SET \(column) = ?1 WHERE tenant = :tenant", value)
                }
            }
            #expect(
                ["sql.value", "sql.check", "sql.syntax"].contains(error?.reason), "\(column): \(error?.reason ?? "")")
        }
        try await storage.database().commit {
            $0.run("UPDATE {accounts} SET ratio = ?1, name = ?2 WHERE tenant = :tenant", 2, 7)
        }
        let row = try await storage.database().read("SELECT ratio, name FROM {accounts} WHERE tenant = :tenant LIMIT 1")
        #expect(row.first?.values == [2.0, "7"])
        for (sql, reason) in [
            ("CREATE TABLE {t} (tenant TEXT NOT NULL, a);", "sql.not_portable"),
            ("CREATE TABLE {t} (tenant TEXT NOT NULL, a NOT NULL, b TEXT);", "sql.not_portable"),
            ("CREATE TABLE {t} AS SELECT tenant, id FROM {accounts};", "sql.not_portable"),
            ("ALTER TABLE {accounts} ADD COLUMN more;", "sql.not_portable"),
        ] {
            let error = await #expect(throws: PluginError.self, "\(sql)") {
                try await storage.database().migrate([Storage.accounts, Migration("002", sql)])
            }
            #expect(error?.reason == reason, "\(sql)")
        }
    }

    @Test(arguments: Engine.meaning)
    func aPrimaryKeyIsNeverNull(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.database().migrate([
            Migration("1", "CREATE TABLE {t} (tenant TEXT NOT NULL, id BIGINT PRIMARY KEY, n INTEGER, open BOOLEAN);")
        ])
        let error = await #expect(throws: PluginError.self) {
            try await storage.database().commit { $0.run("INSERT INTO {t} (tenant, id) VALUES (:tenant, NULL)") }
        }
        #expect(error?.reason == "sql.check")
    }

    private func filled(_ engine: Engine) async throws -> Storage {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.database().commit {
            for (index, name) in ["b", "ä", nil].enumerated() {
                $0.run(
                    "INSERT INTO {accounts} (tenant, id, name, amount, ratio) VALUES (:tenant, ?1, ?2, ?3, ?4)",
                    "a\(index)", name, index + 1, 0.5)
            }
        }
        return storage
    }

    @Test(arguments: Engine.meaning)
    func aStatementMeansTheSame(_ engine: Engine) async throws {
        let storage = try await filled(engine)
        for (sql, expected) in Self.meanings {
            do {
                let rows = try await storage.database().read(sql)
                #expect(rows.first?.values == [expected], "\(sql)")
            } catch {
                Issue.record("\(sql): \(error)")
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func upsertsAndReturningWork(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        let put = """
            INSERT INTO {accounts} (tenant, id, amount) VALUES (:tenant, ?1, ?2)
            ON CONFLICT (tenant, id) DO UPDATE SET amount = excluded.amount + {accounts}.amount RETURNING amount
            """
        let sums = try await storage.database().write { tx in
            let first = try await tx.run(put, "a", 5)[0].int("amount")
            return [first, try await tx.run(put, "a", 6)[0].int("amount")]
        }
        #expect(sums == [5, 11])
        let none = try await storage.database().commit {
            $0.run("INSERT INTO {accounts} (tenant, id) VALUES (:tenant, 'a') ON CONFLICT DO NOTHING", expect: 0)
        }
        #expect(none[0].changed == 0)
    }
}
