// TheatreOS
// SPDX-License-Identifier: Apache-2.0

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
        try await own.migrate([
            Migration(
                "001-accounts",
                """
                CREATE TABLE {accounts} (tenant TEXT NOT NULL, id TEXT NOT NULL, amount BIGINT NOT NULL CHECK (amount >= 0),
                    PRIMARY KEY (tenant, id));
                """)
        ])
        return own
    }

    static let insert = "INSERT INTO {accounts} (tenant, id, amount) VALUES (:tenant, ?1, ?2)"
    static let sum = "SELECT coalesce(sum(amount), 0) AS amount FROM {accounts} WHERE tenant = :tenant"
}

/// What every SQL database does.
public enum SQLSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<SQLSubject>] = [
        SuiteCase("migrationsRunOnce") { subject in
            let own = try await subject.accounts()
            try await own.commit { $0.run(SQLSubject.insert, expect: 1, "a", 5) }
            _ = try await subject.accounts()
            try demand(try await own.read(SQLSubject.sum).first?.int("amount") == 5, "A migration ran a second time.")
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
        SuiteCase("tenantsAndInstancesShareNothing") { subject in
            let own = try await subject.accounts()
            try await own.commit { $0.run(SQLSubject.insert, expect: 1, "a", 5) }
            let other = try await subject.database("notes", "t2").read(SQLSubject.sum)
            try demand(try other.first?.int("amount") == 0, "A tenant sees another's rows.")
            _ = try await refusal("A table of another instance") {
                try await subject.database("others", "t1").read("SELECT * FROM {accounts}")
            }
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
