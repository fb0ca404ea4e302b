// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing
import TheatreStorage

struct PortableSubsetTests {
    let namespace: Namespace

    init() throws { namespace = try Namespace(caller: "ledger") }

    private func refusal(_ source: String, _ purpose: SQLText.Purpose) -> StorageError? {
        do {
            _ = try SQLText(source, in: namespace, for: purpose, .sqlite)
            return nil
        } catch { return error }
    }

    @Test(arguments: [
        "SELECT a FROM {t} WHERE b GLOB 'x*'", "SELECT a FROM {t} WHERE b REGEXP 'x'",
        "SELECT a FROM {t} WHERE {t} MATCH 'x'",
        "SELECT a FROM {t} ORDER BY a COLLATE NOCASE", "SELECT strftime('%s', a) FROM {t}",
        "SELECT ifnull(a, 0) FROM {t}",
        "SELECT max(a, b) FROM {t}", "SELECT min(1, (2), a) FROM {t}", "SELECT `a` FROM {t}", "SELECT [a] FROM {t}",
        "SELECT x'00'", "SELECT a FROM {t} WHERE a == 1", "SELECT a FROM {t} LIMIT 1, 2",
        "SELECT a FROM {t} WHERE a IS ?1",
        "SELECT a FROM {t} WHERE a IS NOT b", "SELECT rowid FROM {t}", "SELECT a & 1 FROM {t}", "SELECT a | 1 FROM {t}",
        "SELECT a -> 'x' FROM {t}", "SELECT TRUE", "SELECT CURRENT_TIMESTAMP", "SELECT json_extract(a, '$.b') FROM {t}",
        "SELECT CAST(a AS VARCHAR) FROM {t}", "SELECT random()", "SELECT a FROM {t} NATURAL JOIN {u}",
        "SELECT a ISNULL FROM {t}", "SELECT a FROM {t} WHERE a @@ b",
        "SELECT user FROM {t}", "SELECT group_concat(a) FROM {t}", "SELECT total(a) FROM {t}",
        "SELECT a::text FROM {t}", "SELECT ~a FROM {t}",
        "SELECT date(a) FROM {t}", "SELECT iif(a, 1, 2) FROM {t}", "SELECT printf('%d', a) FROM {t}",
    ])
    func whatAnotherEngineLacksIsRefusedWithItsPlace(source: String) throws {
        let error = try #require(refusal(source, .query))
        #expect(["sql.not_portable", "sql.syntax"].contains(error.reason), "\(error)")
        #expect(error.code == .invalidArgument)
        if error.reason == "sql.not_portable" { #expect(error.message.hasPrefix("Line 1, column ")) }
    }

    @Test(arguments: [
        "INSERT OR REPLACE INTO {t} (a) VALUES (1)", "REPLACE INTO {t} (a) VALUES (1)",
        "UPDATE OR IGNORE {t} SET a = 1", "INSERT INTO {t} (a) VALUES (x'ff')",
    ])
    func writesOfOneEngineAreRefused(source: String) {
        #expect(refusal(source, .write)?.reason == "sql.not_portable")
    }

    @Test(arguments: [
        "CREATE TABLE {t} (id INTEGER PRIMARY KEY, tenant TEXT);",
        "CREATE TABLE {t} (id BIGINT AUTOINCREMENT, tenant TEXT);",
        "CREATE TABLE {t} (id VARCHAR(20), tenant TEXT);", "CREATE TABLE {t} (at DATETIME, tenant TEXT);",
        "CREATE TABLE {t} (tenant TEXT COLLATE NOCASE);", "CREATE TABLE {t} (tenant TEXT) STRICT;",
        "CREATE VIRTUAL TABLE {t} USING fts5 (body);", "CREATE TRIGGER {t} AFTER INSERT ON {u} BEGIN SELECT 1; END;",
        "CREATE TEMP TABLE {t} (tenant TEXT);", "ALTER TABLE {t} ADD COLUMN a NUMERIC;",
        "CREATE TABLE {t} (id SERIAL, tenant TEXT);", "CREATE TABLE {t} (a TEXT(20), tenant TEXT);",
    ])
    func schemasOfOneEngineAreRefused(source: String) {
        #expect(refusal(source, .migration)?.reason == "sql.not_portable")
    }

    @Test(arguments: [
        "SELECT a, COUNT(*) AS n FROM {t} WHERE tenant = :tenant AND b LIKE 'x%' GROUP BY a ORDER BY n DESC LIMIT ?1 OFFSET ?2",
        "SELECT max(a), min(b), sum(c), avg(d) FROM {t}", "SELECT coalesce(a, 'x') || lower(b) FROM {t}",
        "SELECT a FROM {t} WHERE a IS NULL OR b IS NOT NULL OR c IS NOT DISTINCT FROM ?1",
        "WITH totals (id, n) AS (SELECT id, COUNT(*) FROM {t} GROUP BY id) SELECT n FROM totals JOIN {t} ON {t}.id = totals.id",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n",
        "SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM {t}",
        "SELECT CAST(a AS TEXT), CAST(b AS BIGINT) FROM {t}",
        "SELECT a FROM {t} WHERE (a, b) > (?1, ?2) AND EXISTS (SELECT 1 FROM {u} WHERE {u}.id = {t}.id)",
        "SELECT CASE WHEN a > 0 THEN 'x' ELSE 'y' END FROM {t} WHERE a IN (1, 2, 3) AND b BETWEEN 1 AND 2",
        "SELECT \"similar\" FROM {t}", "SELECT \"key\", t.rowid FROM {t} AS t ORDER BY a NULLS FIRST",
        "SELECT 'GLOB', 'x is y' -- GLOB\nFROM {t}",
        "SELECT a.match FROM {t} AS a",
        "SELECT substr(a, 1, 3), replace(a, 'x', 'y'), trim(a), length(a), abs(b) FROM {t}",
    ])
    func thePortableSubsetPasses(source: String) {
        #expect(refusal(source, .query) == nil, "\(String(describing: refusal(source, .query)))")
    }

    @Test(arguments: [
        "INSERT INTO {t} (a, b) VALUES (?1, ?2) ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE {t}.b < excluded.b RETURNING a",
        "UPDATE {t} SET a = {t}.a + 1, b = CASE WHEN c THEN 1 ELSE 0 END WHERE id = ?1 RETURNING a",
        "DELETE FROM {t} WHERE id IN (SELECT id FROM {t} WHERE at < ?1 ORDER BY at LIMIT 10)",
        "INSERT INTO {t} (a) SELECT a FROM {u} WHERE tenant = :tenant ON CONFLICT DO NOTHING",
    ])
    func portableWritesPass(source: String) {
        #expect(refusal(source, .write) == nil, "\(String(describing: refusal(source, .write)))")
    }

    @Test func aPortableSchemaPasses() {
        let sql = """
            -- Words.
            CREATE TABLE {words} (tenant TEXT NOT NULL, id BIGINT NOT NULL, n INTEGER DEFAULT 0 CHECK (n >= 0), open BOOLEAN,
                size REAL, data BLOB, "key" TEXT REFERENCES {others} (id) DEFERRABLE INITIALLY DEFERRED,
                PRIMARY KEY (tenant, id), UNIQUE (tenant, n), CHECK (length("key") > 0)) WITHOUT ROWID;
            CREATE UNIQUE INDEX {words_by_n} ON {words} (tenant, n DESC) WHERE n > 0;
            CREATE INDEX {words_lower} ON {words} (lower("key"));
            CREATE TABLE IF NOT EXISTS {more} (tenant TEXT NOT NULL, a TEXT);
            ALTER TABLE {words} ADD COLUMN extra TEXT NOT NULL DEFAULT '';
            ALTER TABLE {words} RENAME TO {phrases};
            CREATE VIEW {recent} AS SELECT tenant, id FROM {words} WHERE n > 5;
            INSERT INTO {words} (tenant, id) VALUES ('a', 1);
            DROP INDEX {words_by_n};
            """
        #expect(refusal(sql, .migration) == nil, "\(String(describing: refusal(sql, .migration)))")
    }

    @Test func theMessageNamesLineColumnAndAnotherWay() throws {
        let error = try #require(refusal("SELECT a\nFROM {t}\nWHERE 汴 = 1 AND b GLOB 'x'", .query))
        #expect(
            error.message.hasPrefix("Line 3, column 19: GLOB is not in the portable subset; use LIKE."),
            "\(error.message)")
    }

    @Test func aTextForOneEngineIsNotHeldToIt() throws {
        let source = "/* engine: sqlite */ SELECT strftime('%s', a) FROM {t} WHERE b GLOB 'x'"
        #expect(refusal(source, .query) == nil)
        #expect(throws: StorageError.self) { try SQLText(source, in: namespace, for: .query, .postgresql) }
        #expect(throws: Never.self) {
            try SQLText("CREATE TABLE {t} (a DATETIME);", in: namespace, for: .migration, .sqlite, engineSpecific: true)
        }
    }

    @Test(arguments: [
        ("SELECT ?2, :tenant, ?1", "SELECT $2, $3, $1"),
        (
            "SELECT CAST(a AS INTEGER), CAST(b AS TEXT) FROM {t}",
            "SELECT theatre_integer(a  ), CAST(b AS TEXT) COLLATE \"C\" FROM \"ledger__t\""
        ),
        (
            "SELECT text FROM {t} WHERE a = 'INTEGER ?1'",
            "SELECT text FROM \"ledger__t\" WHERE a = ('INTEGER ?1' COLLATE \"C\")"
        ),
        (
            "SELECT a FROM {t} WHERE a LIKE '%' || ?1 AND b NOT LIKE lower(?2) ESCAPE '!'",
            "SELECT a FROM \"ledger__t\" WHERE a LIKE ('%' COLLATE \"C\") || $1 ESCAPE '' "
                + "AND b NOT LIKE lower(($2) COLLATE \"C\") ESCAPE ('!' COLLATE \"C\")"
        ),
        (
            "SELECT a LIKE b c, coalesce(sum(n) FILTER (WHERE n > 1), 0) / 2, avg(n) FROM {t} GROUP BY 1 LIMIT 5",
            "SELECT a LIKE b ESCAPE '' c, coalesce(theatre_sum(sum(n) FILTER (WHERE n > 1)), 0) / CAST(2 AS BIGINT), "
                + "CAST(avg(n) AS DOUBLE PRECISION) FROM \"ledger__t\" GROUP BY 1 LIMIT 5"
        ),
    ])
    func statementsAreRewrittenForPostgreSQL(source: String, expected: String) throws {
        #expect(try SQLText(source, in: namespace, for: .query, .postgresql).sql == expected)
    }

    /// `id` and `at` are NOT NULL wherever there is a column of the name.
    @Test(arguments: [
        ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a NULLS FIRST"),
        (
            "SELECT a FROM t ORDER BY a DESC, b ASC LIMIT 5",
            "SELECT a FROM t ORDER BY a DESC NULLS LAST, b ASC NULLS FIRST LIMIT 5"
        ),
        ("SELECT a FROM t ORDER BY id, t.at DESC, \"id\"", "SELECT a FROM t ORDER BY id, t.at DESC, \"id\""),
        (
            "SELECT a FROM t ORDER BY a NULLS LAST, b DESC NULLS FIRST",
            "SELECT a FROM t ORDER BY a NULLS LAST, b DESC NULLS FIRST"
        ),
        (
            "SELECT a FROM t ORDER BY lower(a), 1 -- so\n",
            "SELECT a FROM t ORDER BY lower((a) COLLATE \"C\") NULLS FIRST, 1 NULLS FIRST -- so\n"
        ),
        (
            "SELECT max(at) AS at FROM t GROUP BY b ORDER BY at",
            "SELECT max(at) AS at FROM t GROUP BY b ORDER BY at NULLS FIRST"
        ),
        (
            "SELECT t.id FROM t LEFT JOIN u ON t.id = u.id ORDER BY u.id",
            "SELECT t.id FROM t LEFT JOIN u ON t.id = u.id ORDER BY u.id NULLS FIRST"
        ),
        (
            "SELECT rank() OVER (PARTITION BY id ORDER BY n DESC ROWS UNBOUNDED PRECEDING) FROM t",
            "SELECT rank() OVER (PARTITION BY id ORDER BY n DESC NULLS LAST ROWS UNBOUNDED PRECEDING) FROM t"
        ),
        (
            "WITH x (id) AS (SELECT n FROM t ORDER BY (n + ?1)) SELECT id FROM x ORDER BY id",
            "WITH x (id) AS (SELECT n FROM t ORDER BY (n + $1) NULLS FIRST) SELECT id FROM x ORDER BY id NULLS FIRST"
        ),
        ("/* engine: postgresql */ SELECT a FROM t ORDER BY a", "/* engine: postgresql */ SELECT a FROM t ORDER BY a"),
    ])
    func nullsAreSortedAlike(_ source: String, _ expected: String) throws {
        let text = try SQLText(source, in: namespace, for: .query, .postgresql) { ["id", "at"].contains($0) }
        #expect(text.sql == expected)
        guard !source.hasPrefix("/*") else { return }
        #expect(try SQLText(source, in: namespace, for: .query, .sqlite).sql == source, "SQLite is left as it is")
    }

    /// The match of PostgreSQL's full text is no parameter, and what stands behind it still is one.
    @Test func anEnginesOwnStatementMayMatch() throws {
        let source = "/* engine: postgresql */ SELECT a FROM {t} WHERE b @@ CAST(?2 AS tsquery) AND c = :tenant"
        let text = try SQLText(source, in: namespace, for: .query, .postgresql)
        #expect(text.sql.hasSuffix("WHERE b @@ CAST($2 AS tsquery) AND c = $3") && text.parameters == 2)
        for source in ["/* engine: postgresql */ SELECT @a", "/* engine: postgresql */ SELECT a @@@b FROM {t}"] {
            #expect(throws: StorageError.self) { try SQLText(source, in: namespace, for: .query, .postgresql) }
        }
    }

    @Test func typesAreRewrittenForEachEngine() throws {
        let source = """
            CREATE TABLE {t} (tenant TEXT NOT NULL, n INTEGER, b BLOB, r REAL, open BOOLEAN, text TEXT,
                CHECK (CAST(n AS INTEGER) > 0), PRIMARY KEY (tenant)) WITHOUT ROWID;
            ALTER TABLE {t} ADD COLUMN more BLOB;
            ALTER TABLE {t} ADD less INTEGER;
            """
        let text = try SQLText(source, in: namespace, for: .migration, .postgresql)
        let expected = [
            """
            CREATE TABLE "ledger__t" (tenant TEXT COLLATE "C" NOT NULL, n BIGINT, b BYTEA, r DOUBLE PRECISION, open BIGINT, \
            text TEXT COLLATE "C",
                CHECK (CAST(n AS BIGINT) > 0), PRIMARY KEY (tenant))
            """, "ALTER TABLE \"ledger__t\" ADD COLUMN more BYTEA", "ALTER TABLE \"ledger__t\" ADD less BIGINT",
        ]
        #expect(try text.statements().map { $0.trimmingSpaces } == expected)
        let strict = [
            """
            CREATE TABLE "ledger__t" (tenant TEXT NOT NULL, n INT, b BLOB, r REAL, open INT, text TEXT,
                CHECK (CAST(n AS INTEGER) > 0), PRIMARY KEY (tenant)) WITHOUT ROWID, STRICT
            """, "ALTER TABLE \"ledger__t\" ADD COLUMN more BLOB", "ALTER TABLE \"ledger__t\" ADD less INT",
        ]
        #expect(try SQLText(source, in: namespace, for: .migration, .sqlite).statements() == strict)
    }

    /// SQLite would take any row's value for these.
    @Test(arguments: [
        ("SELECT id, max(n) FROM {t}", "id"), ("SELECT count(*), id FROM {t}", "id"),
        ("SELECT a, b, sum(n) FROM {t} GROUP BY a", "b"), ("SELECT t.b FROM {t} AS t GROUP BY t.a", "b"),
        ("SELECT a, b + 1 AS c FROM {t} GROUP BY a ORDER BY a", "b"), ("SELECT * FROM {t} GROUP BY a", "*"),
        ("SELECT t.*, count(*) FROM {t} AS t GROUP BY t.a", "*"),
        ("SELECT CASE WHEN b > 0 THEN 1 ELSE 0 END FROM {t} GROUP BY a HAVING count(*) > 1", "b"),
        ("SELECT 1 FROM {u} WHERE id IN (SELECT id FROM {t} GROUP BY a)", "id"),
        ("SELECT a FROM {t} GROUP BY a UNION ALL SELECT a FROM {t} GROUP BY b", "a"),
        ("SELECT coalesce(b, max(b)) FROM {t}", "b"), ("SELECT \"b\" FROM {t} GROUP BY a, c", "b"),
        ("WITH x AS (SELECT a, b FROM {t} GROUP BY a) SELECT a FROM x", "b"),
        ("SELECT {t}.b, count(*) FROM {t} LEFT JOIN {u} ON {t}.id = {u}.id GROUP BY {t}.a", "b"),
    ])
    func aLooseColumnIsRefused(_ source: String, _ name: String) throws {
        let error = try #require(refusal(source, .query))
        #expect(error.reason == "sql.not_portable")
        #expect(error.message.contains("neither grouped nor aggregated (\(name))"), "\(error.message)")
    }

    @Test(arguments: [
        "SELECT a, count(*) FROM {t} GROUP BY a", "SELECT t.a, b FROM {t} AS t GROUP BY a, t.b",
        "SELECT a + 1 AS c, sum(b * d) FROM {t} GROUP BY c", "SELECT lower(a) x, min(b) FROM {t} GROUP BY 1",
        "SELECT lower(a), max(b) - min(b) FROM {t} GROUP BY lower(a) HAVING sum(b) > 1 ORDER BY count(*)",
        "SELECT count(*), 'x', ?1, 5, NULL FROM {t}", "SELECT coalesce(max(place), 0) + 1 FROM {t} WHERE a = ?1",
        "SELECT id, sum(n) OVER (PARTITION BY a ORDER BY id) FROM {t}",
        "SELECT id, count(*) FILTER (WHERE n > 1) OVER (PARTITION BY a) AS c FROM {t}",
        "SELECT a, rank() OVER (ORDER BY count(*)) FROM {t} GROUP BY a",
        "SELECT id, (SELECT count(*) FROM {u} WHERE {u}.id = {t}.id) AS n FROM {t}",
        "SELECT id, (SELECT max(u.at) - t.at FROM {u} AS u WHERE u.id = t.id) FROM {t} AS t",
        "SELECT CAST(sum(n) AS TEXT) AS total, count(DISTINCT a) FROM {t}",
        "SELECT CASE WHEN count(*) > 1 THEN 'many' ELSE 'one' END AS word FROM {t}",
        "SELECT a, id FROM {t} WHERE n = (SELECT max(n) FROM {t})", "SELECT DISTINCT a, b FROM {t}",
        "SELECT a FROM {t} UNION SELECT count(*) FROM {t}", "SELECT \"group\", count(*) FROM {t} GROUP BY \"group\"",
        "SELECT count(*) n FROM {t}", "SELECT sum(n) AS id FROM {t}",
    ])
    func whatIsGroupedOrAggregatedPasses(source: String) {
        #expect(refusal(source, .query) == nil, "\(String(describing: refusal(source, .query)))")
    }

    @Test func anEnginesOwnTextThatDoesNotEndIsRefused() throws {
        let text = SQLText(engine: "SELECT 'x", parameters: 0)
        #expect(throws: StorageError.self) { try text.statements() }
    }

    @Test func randomTextsAreReadWithoutACrashOnBothEngines() throws {
        var generator = SeededGenerator(seed: 3)
        let pieces = [
            "SELECT", "CREATE", "TABLE", "ALTER", "ADD", "COLUMN", "{t}", "(", ")", ",", ";", "a", "TEXT", "INTEGER",
            "CAST",
            "AS", "IS", "NOT", "NULL", "max", "LIMIT", "1", "'x'", "\"y\"", "?1", ":tenant", "=", "=", "|", "WITHOUT",
            "ROWID",
            "SELECT", "FROM", "GROUP", "ORDER", "BY", "DESC", "NULLS", "count", "OVER", "--x\n", "/* engine: sqlite */",
            "WITH", "->", "::", ".",
        ]
        var passed = 0
        for _ in 0..<20_000 {
            let source =
                "SELECT "
                + (0..<Int.random(in: 0...10, using: &generator)).map { _ in
                    pieces.randomElement(using: &generator) ?? ""
                }
                .joined(separator: Bool.random(using: &generator) ? " " : "")
            for dialect in Dialect.allCases {
                for purpose in [SQLText.Purpose.query, .migration] {
                    guard let text = try? SQLText(source, in: namespace, for: purpose, dialect) else { continue }
                    passed += 1
                    #expect(try text.statements().allSatisfy { !$0.isEmpty })
                    if dialect == .postgresql { #expect(!text.sql.contains("?1")) }
                }
            }
        }
        #expect(passed > 100)
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
