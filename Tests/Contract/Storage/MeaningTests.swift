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
    ]

    @Test(arguments: Engine.allCases)
    func aStatementMeansTheSame(_ engine: Engine) async throws {
        let storage = try await Storage(engine)
        try await storage.migrate()
        try await storage.database().commit {
            for (index, name) in ["b", "ä", nil].enumerated() {
                $0.run(
                    "INSERT INTO {accounts} (tenant, id, name, amount, ratio) VALUES (:tenant, ?1, ?2, ?3, ?4)",
                    "a\(index)", name, index + 1, 0.5)
            }
        }
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
