// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts
public import TheatrePlugin

/// A provider of `theatre.sql.v1.Database` with an empty database.
public struct SQLSubject: Sendable {
    /// The tables of an instance, for a tenant.
    public var database: @Sendable (_ instance: String, _ tenant: String) -> Database

    /// A provider to be tested.
    public init(database: @escaping @Sendable (_ instance: String, _ tenant: String) -> Database) {
        self.database = database
    }

    /// The tables of `notes` for `t1`, with a table of accounts.
    func accounts() async throws -> Database {
        let own = database("notes", "t1")
        try await own.migrate([Self.first])
        return own
    }

    static let first = Migration(
        "001-accounts",
        """
        CREATE TABLE {accounts} (tenant TEXT NOT NULL, id TEXT NOT NULL, amount BIGINT NOT NULL CHECK (amount >= 0),
            PRIMARY KEY (tenant, id));
        """)

    static let insert = "INSERT INTO {accounts} (tenant, id, amount) VALUES (:tenant, ?1, ?2)"
    static let one = "SELECT amount FROM {accounts} WHERE tenant = :tenant AND id = 'a'"
    static let set = "UPDATE {accounts} SET amount = ?1 WHERE tenant = :tenant AND id = 'a'"
    static let sum = "SELECT coalesce(sum(amount), 0) AS amount FROM {accounts} WHERE tenant = :tenant"
}

/// What every SQL database does.
public enum SQLSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<SQLSubject>] = [
        SuiteCase("migrationsRunOnce") { subject in
            let own = try await subject.accounts()
            try await own.commit { $0.run(SQLSubject.insert, expect: 1, "a", 5) }
            _ = try await success("A schema that is up to date cannot be brought up to date") {
                try await subject.accounts()
            }
            try demand(try await own.read(SQLSubject.sum).first?.int("amount") == 5, "A migration ran a second time.")
        },
        SuiteCase("aReleasedMigrationIsNotChanged") { subject in
            let own = try await subject.accounts()
            let edited = try await refusal("A migration that was edited") {
                try await own.migrate([
                    Migration("001-accounts", "\(SQLSubject.first.sql)\nCREATE INDEX {i} ON {accounts} (id);")
                ])
            }
            try demand(edited.reason == "sql.migration_edited", "\(edited.reason) is not sql.migration_edited.")
            let missing = try await refusal("A list without an applied migration") { try await own.migrate([]) }
            try demand(missing.reason == "sql.migration_missing", "\(missing.reason) is not sql.migration_missing.")
        },
        SuiteCase("allOfATransactionIsKeptOrNothing") { subject in
            let own = try await subject.accounts()
            let error = try await refusal("A transaction whose expectation fails") {
                try await own.commit {
                    $0.run(SQLSubject.insert, expect: 1, "a", 5)
                    $0.run("UPDATE {accounts} SET amount = 1 WHERE tenant = :tenant AND id = 'none'", expect: 1)
                }
            }
            try demand(error.reason == "sql.expectation", "\(error.reason) is not sql.expectation.")
            try demand(error.detail == "/statements/1", "The error points to \(error.detail), not to /statements/1.")
            try demand(try await own.read(SQLSubject.sum).first?.int("amount") == 0, "Half of a transaction was kept.")
        },
        SuiteCase("brokenRulesAreNamed") { subject in
            let own = try await subject.accounts()
            try await own.commit { $0.run(SQLSubject.insert, expect: 1, "a", 5) }
            let unique = try await refusal("A second row of one key") {
                try await own.commit { $0.run(SQLSubject.insert, expect: 1, "a", 6) }
            }
            try demand(
                unique.reason == "sql.unique" && unique.code == .alreadyExists, "\(unique.reason) is not sql.unique.")
            let check = try await refusal("A row that breaks a check") {
                try await own.commit { $0.run(SQLSubject.insert, expect: 1, "b", -1) }
            }
            try demand(check.reason == "sql.check", "\(check.reason) is not sql.check.")
            let syntax = try await refusal("A statement that is none") { try await own.read("SELECT 1 +") }
            try demand(syntax.reason == "sql.syntax", "\(syntax.reason) is not sql.syntax.")
        },
        SuiteCase("valuesComeBackAsTheyWere") { subject in
            let own = subject.database("notes", "t1")
            try await own.migrate([
                Migration(
                    "001-values",
                    """
                    CREATE TABLE {things} (tenant TEXT NOT NULL, id BIGINT NOT NULL, n BIGINT, r REAL, t TEXT, b BLOB,
                        PRIMARY KEY (tenant, id));
                    """)
            ])
            let integers: [Int64?] = [.max, .min, 9_007_199_254_740_993, 0, nil]
            let texts: [String?] = ["州桥夜市 𠮷 «…»", "", "it's; -- \"quoted\"", "line\nline", nil]
            let bytes: [Data?] = [Data([0, 255, 0, 1]), Data(), Data(repeating: 7, count: 70_000), Data([0]), nil]
            let reals: [Double?] = [0.1, -1e300, 1e-300, 0, nil]
            for id in integers.indices {
                try await own.commit {
                    $0.run(
                        "INSERT INTO {things} (tenant, id, n, r, t, b) VALUES (:tenant, ?1, ?2, ?3, ?4, ?5)",
                        expect: 1, id, integers[id], reals[id], texts[id], bytes[id])
                }
            }
            let rows = try await own.read("SELECT n, r, t, b FROM {things} WHERE tenant = :tenant ORDER BY id")
            try demand(rows.count == integers.count, "\(integers.count) rows were kept and \(rows.count) are there.")
            for (id, row) in rows.enumerated() {
                let (n, r) = (try row.optionalInt("n"), try row.optionalReal("r"))
                try demand(n == integers[id], "\(integers[id] ?? 0) came back as \(n ?? 0).")
                try demand(r == reals[id], "\(reals[id] ?? 0) came back as \(r ?? 0).")
                try demand(
                    try row.optionalText("t") == texts[id], "The text \"\(texts[id] ?? "NULL")\" came back as another.")
                try demand(
                    try row.optionalBlob("b") == bytes[id], "\(bytes[id]?.count ?? 0) bytes came back as others.")
            }
        },
        SuiteCase("moreRowsThanAskedForIsAnError") { subject in
            let own = try await subject.accounts()
            try await own.commit { for id in ["a", "b", "c"] { $0.run(SQLSubject.insert, expect: 1, id, 1) } }
            let ids = "SELECT id FROM {accounts} WHERE tenant = :tenant ORDER BY id"
            let most = try await own.read(ids, maxRows: 3)
            try demand(try most.map { try $0.text("id") } == ["a", "b", "c"], "Three rows came as \(most.count).")
            let error = try await refusal("A read of three rows where two are allowed") {
                try await own.read(ids, maxRows: 2)
            }
            try demand(
                error.code == .outOfRange && error.reason == "sql.too_many_rows",
                "\(error.reason) is not sql.too_many_rows.")
        },
        SuiteCase("aStreamHasAllRowsInOrder") { subject in
            let own = try await subject.accounts()
            let ids = (1000..<1600).map { "a\($0)" }
            try await own.commit { for id in ids { $0.run(SQLSubject.insert, expect: 1, id, 1) } }
            var seen: [String] = []
            let rows = try await own.stream("SELECT id FROM {accounts} WHERE tenant = :tenant ORDER BY id")
            for try await row in rows { seen.append(try row.text("id")) }
            try demand(seen == ids, "A stream of \(ids.count) rows gave \(seen.count), or others.")
        },
        SuiteCase("tenantsAndInstancesShareNothing") { subject in
            let own = try await subject.accounts()
            try await own.commit { $0.run(SQLSubject.insert, expect: 1, "a", 5) }
            let other = try await subject.database("notes", "t2").read(SQLSubject.sum)
            try demand(try other.first?.int("amount") == 0, "A tenant sees another's rows.")
            _ = try await refusal("A table of another instance") {
                try await subject.database("others", "t1").read(SQLSubject.sum)
            }
            _ = try await refusal("A change of another tenant's row") {
                try await subject.database("notes", "t2").commit {
                    $0.run("UPDATE {accounts} SET amount = 9 WHERE tenant = :tenant AND id = 'a'", expect: 1)
                }
            }
            let foreign = try await refusal("A table that is nobody's by its bare name") {
                try await own.read(SQLSubject.sum.replacing("{accounts}", with: "accounts"))
            }
            try demand(
                foreign.code == .permissionDenied || foreign.code == .invalidArgument,
                "A table by its bare name is \(foreign.code) \(foreign.reason).")
        },
        SuiteCase("noUpdateIsLost") { subject in
            let own = try await subject.accounts()
            try await own.commit { $0.run(SQLSubject.insert, expect: 1, "a", 0) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await own.write(WriteOptions(attempts: 50)) { tx in
                            let before = try await tx.run(SQLSubject.one).first?.int("amount") ?? 0
                            _ = try await tx.run(SQLSubject.set, expect: 1, before + 1)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let amount = try await own.read(SQLSubject.sum).first?.int("amount")
            try demand(amount == 4, "Four transactions added 1 each, and \(amount ?? 0) is there.")
        },
        SuiteCase("aTransactionThatThrowsLeavesNothing") { subject in
            struct Thrown: Error {}
            let own = try await subject.accounts()
            do {
                try await own.write { tx in
                    _ = try await tx.run(SQLSubject.insert, expect: 1, "a", 5)
                    throw Thrown()
                }
            } catch is Thrown {}
            try demand(try await own.read(SQLSubject.sum).first?.int("amount") == 0, "What was rolled back is there.")
        },
    ]
}
