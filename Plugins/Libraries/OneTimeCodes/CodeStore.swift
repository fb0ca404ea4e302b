// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import TheatrePlugin

/// Codes under way and the subjects of those who proved an identifier, in the instance's tables: found by what
/// ``KeyedIndex`` makes of the identifier. No identifier is stored.
struct CodeStore {
    /// What a guess is compared with.
    struct Attempt: Sendable {
        /// What stands for the identifier.
        var index: String
        var mac: [UInt8]
    }

    /// The tables.
    static let migrations = [
        Migration(
            "001-codes",
            """
            CREATE TABLE {codes} (
                tenant TEXT NOT NULL,
                identifier TEXT NOT NULL,
                challenge BLOB NOT NULL,
                mac BLOB NOT NULL,
                tries BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                PRIMARY KEY (tenant, identifier),
                UNIQUE (tenant, challenge)
            );
            CREATE INDEX {codes_by_expiry} ON {codes} (tenant, expires_at);
            CREATE TABLE {people} (
                tenant TEXT NOT NULL,
                identifier TEXT NOT NULL,
                subject TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                PRIMARY KEY (tenant, identifier),
                UNIQUE (tenant, subject)
            );
            CREATE TABLE {budgets} (
                tenant TEXT NOT NULL,
                bucket TEXT NOT NULL,
                used BIGINT NOT NULL,
                since BIGINT NOT NULL,
                PRIMARY KEY (tenant, bucket)
            );
            """),
        // From here on `identifier` is what ``KeyedIndex`` makes of one, and a bucket holds no digest that could be tried:
        // those from before have lasted a day at most, and begin anew.
        Migration(
            "002-index",
            """
            \(KeyedIndex.table)
            DROP TABLE {budgets};
            CREATE TABLE {budgets} (
                tenant TEXT NOT NULL,
                bucket TEXT NOT NULL,
                used BIGINT NOT NULL,
                since BIGINT NOT NULL,
                PRIMARY KEY (tenant, bucket)
            );
            """),
    ]

    private let database: Database
    private let index: KeyedIndex

    /// The codes of the calling instance and tenant.
    init(_ scope: some CallScope, feature: String) {
        database = Database(scope, feature: feature)
        index = KeyedIndex(scope, storage: feature, purpose: "code identifier")
    }

    /// Brings the tables up to date.
    func migrate() async throws {
        try await database.migrate(Self.migrations)
        for table in ["{codes}", "{people}"] { try await index.hide(table: table, column: "identifier") }
    }

    /// What stands for an identifier of a tenant.
    func index(of identifier: String, tenant: String) async throws -> String {
        try await index.text(of: identifier, tenant: tenant)
    }

    /// Keeps a code in the place of the last for the same identifier, and forgets what has lapsed.
    func put(_ index: String, challenge: [UInt8], mac: [UInt8], until expiry: Int64, at now: Int64) async throws {
        try await database.commit {
            $0.run("DELETE FROM {codes} WHERE tenant = :tenant AND expires_at <= ?1", now)
            $0.run(
                """
                INSERT INTO {codes} (tenant, identifier, challenge, mac, tries, expires_at)
                VALUES (:tenant, ?1, ?2, ?3, 0, ?4)
                ON CONFLICT (tenant, identifier)
                DO UPDATE SET challenge = excluded.challenge, mac = excluded.mac, tries = 0,
                    expires_at = excluded.expires_at
                """, expect: 1, index, challenge, mac, expiry)
        }
    }

    /// Counts a guess before it is looked at; nil where there is none to be had.
    func attempt(_ challenge: [UInt8], tries: Int64, at now: Int64) async throws -> Attempt? {
        try await database.write { tx -> Attempt? in
            let rows = try await tx.run(
                """
                SELECT identifier, mac, tries FROM {codes}
                WHERE tenant = :tenant AND challenge = ?1 AND expires_at > ?2
                """, challenge, now)
            guard let row = rows.first, try row.int("tries") < tries else { return nil }
            try await tx.run(
                "UPDATE {codes} SET tries = tries + 1 WHERE tenant = :tenant AND challenge = ?1", expect: 1, challenge)
            return Attempt(index: try row.text("identifier"), mac: Array(try row.blob("mac")))
        }
    }

    /// Ends a code that was proved, and gives the identifier's subject; nil where another was faster.
    func finish(_ challenge: [UInt8], index: String, prefix: String, at now: Int64) async throws -> String? {
        let fresh = ULID.next(prefix: prefix, at: now)
        return try await database.write { tx -> String? in
            let rows = try await tx.run(
                "SELECT tries FROM {codes} WHERE tenant = :tenant AND challenge = ?1", challenge)
            guard rows.first != nil else { return nil }
            try await tx.run("DELETE FROM {codes} WHERE tenant = :tenant AND challenge = ?1", expect: 1, challenge)
            try await tx.run(
                """
                INSERT INTO {people} (tenant, identifier, subject, created_at) VALUES (:tenant, ?1, ?2, ?3)
                ON CONFLICT (tenant, identifier) DO NOTHING
                """, index, fresh, now)
            let found = try await tx.run(
                "SELECT subject FROM {people} WHERE tenant = :tenant AND identifier = ?1", index)
            return try found.first?.text("subject")
        }
    }

    /// Forgets whom a subject stands for, and a code that is under way for them.
    func remove(_ subject: String) async throws {
        try await database.commit {
            $0.run(
                """
                DELETE FROM {codes} WHERE tenant = :tenant AND identifier IN
                    (SELECT identifier FROM {people} WHERE tenant = :tenant AND subject = ?1)
                """, subject)
            $0.run("DELETE FROM {people} WHERE tenant = :tenant AND subject = ?1", subject)
        }
    }
}
