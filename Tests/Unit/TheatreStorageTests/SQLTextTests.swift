// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import TheatreStorage

struct SQLTextTests {
    let namespace: Namespace

    init() throws { namespace = try Namespace(caller: "ledger") }

    @Test(arguments: [
        ("SELECT * FROM {entries}", "SELECT * FROM \"ledger__entries\""),
        ("SELECT '{entries}' FROM {a}", "SELECT '{entries}' FROM \"ledger__a\""),
        (
            "/* engine: sqlite */ SELECT \"{x}\", `{y}`, [{z}] FROM {a}",
            "/* engine: sqlite */ SELECT \"{x}\", `{y}`, [{z}] FROM \"ledger__a\""
        ),
        ("SELECT 1 -- {x}\n FROM {a}", "SELECT 1 -- {x}\n FROM \"ledger__a\""),
        ("SELECT 1 /* {x} ' */ FROM {a}", "SELECT 1 /* {x} ' */ FROM \"ledger__a\""),
        ("SELECT 'it''s {x}' FROM {a}", "SELECT 'it''s {x}' FROM \"ledger__a\""),
        ("SELECT ?1 FROM {a} WHERE tenant = :tenant", "SELECT ?1 FROM \"ledger__a\" WHERE tenant = ?2"),
        ("SELECT :tenant, ?1", "SELECT ?2, ?1"),
        ("SELECT '?1 :tenant'", "SELECT '?1 :tenant'"),
        ("SELECT '汴京' FROM {a};", "SELECT '汴京' FROM \"ledger__a\";"),
    ])
    func namesAndParametersAreRewritten(source: String, expected: String) throws {
        #expect(try SQLText(source, in: namespace, for: .query, .sqlite).sql == expected)
    }

    @Test(arguments: [
        "SELECT * FROM {", "SELECT * FROM {a b}", "SELECT * FROM {1a}", "SELECT }", "SELECT 'a", "SELECT ?",
        "SELECT :x",
        "SELECT @a", "SELECT $a", "SELECT ?0", "SELECT ?1000", "", " ; ", "SELECT 1; SELECT 2", "SELECT \"a",
        "SELECT [a",
        "SELECT :tenants", "SELECT 1\0",
    ])
    func whatIsNoStatementIsASyntaxError(source: String) {
        #expect(throws: StorageError.self) { try SQLText(source, in: namespace, for: .query, .sqlite) }
        do {
            _ = try SQLText(source, in: namespace, for: .query, .sqlite)
        } catch {
            #expect(error.reason == "sql.syntax")
        }
    }

    @Test(arguments: [
        "PRAGMA user_version", "ATTACH 'x' AS y", "BEGIN", "COMMIT", "VACUUM INTO 'x'", "EXPLAIN SELECT 1", "ANALYZE",
        "CREATE TABLE {a} (b)", "DROP TABLE {a}", "REINDEX", "/* x */ pragma user_version", "SAVEPOINT a",
    ])
    func otherStatementsAreRefusedByTheirFirstWord(source: String) {
        for purpose in [SQLText.Purpose.query, .write] {
            do {
                _ = try SQLText(source, in: namespace, for: purpose, .sqlite)
                Issue.record("\(source) passed")
            } catch {
                #expect(error.reason == "sql.refused_statement")
            }
        }
    }

    @Test func anythingIsReadWithoutACrash() {
        var generator = SeededGenerator(seed: 20_260_101)
        let pieces = [
            "{", "}", "a", "'", "\"", "`", "[", "]", "--", "/*", "*/", ";", "?", "1", ":", "tenant", " ", "\n", "é",
            "select", "$", "@", "{t}",
        ]
        for _ in 0..<20_000 {
            let source = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }.joined()
            for purpose in [SQLText.Purpose.query, .migration] {
                guard let text = try? SQLText(source, in: namespace, for: purpose, .sqlite) else { continue }
                #expect(text.parameters <= 999)
            }
        }
    }

    @Test(arguments: ["Ledger", "a__b", "_a", "a_", "1a", "a--b", "", "é", "a.b", "a b"])
    func unclearNamespacesAreRefused(caller: String) {
        #expect(throws: StorageError.self) { try Namespace(caller: caller) }
    }

    @Test func aNamespaceOwnsItsPrefixInAnyCase() {
        #expect(namespace.owns("LEDGER__Entries"))
        #expect(!namespace.owns("ledger__"))
        #expect(!namespace.owns("ledgers__a"))
        #expect(!namespace.owns("ledger_entries"))
    }
}
