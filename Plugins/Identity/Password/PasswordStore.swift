// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import TheatreContracts
import TheatrePlugin

/// Credentials in the database: one row for each address of a tenant, found by what stands for it. No address is stored.
struct PasswordStore {
    /// What is known of an address.
    struct Credential: Sendable {
        var subject: String
        var hash: String
    }

    static let migrations = [
        Migration(
            "001-credentials",
            """
            CREATE TABLE {credentials} (
                tenant TEXT NOT NULL,
                identifier TEXT NOT NULL,
                subject TEXT NOT NULL,
                hash TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL,
                PRIMARY KEY (tenant, identifier),
                UNIQUE (tenant, subject)
            );
            """),
        // From here on `identifier` is what ``KeyedIndex`` makes of an address; see ``KeyedIndex/hide(table:column:)``.
        Migration("002-index", KeyedIndex.table),
    ]

    private let database: Database
    private let index: KeyedIndex

    init(_ scope: some CallScope) {
        database = Database(scope, feature: "password.storage")
        index = KeyedIndex(scope, storage: "password.storage", purpose: "password address")
    }

    func migrate() async throws {
        try await database.migrate(Self.migrations)
        try await index.hide(table: "{credentials}", column: "identifier")
    }

    func find(_ identifier: EmailAddress, tenant: String) async throws -> Credential? {
        let index = try await index.text(of: identifier.text, tenant: tenant)
        let rows = try await database.read(
            "SELECT subject, hash FROM {credentials} WHERE tenant = :tenant AND identifier = ?1", index)
        return try rows.first.map { Credential(subject: try $0.text("subject"), hash: try $0.text("hash")) }
    }

    /// Stores a new credential, or a new hash for one that exists, and gives its subject.
    func put(
        _ identifier: EmailAddress, tenant: String, hash: String, replace: Bool, at now: Int64
    ) async throws -> String {
        let index = try await index.text(of: identifier.text, tenant: tenant)
        let subject = ULID.next(prefix: "pwd", at: now)
        let onConflict =
            replace ? "ON CONFLICT (tenant, identifier) DO UPDATE SET hash = excluded.hash, updated_at = ?4" : ""
        do {
            let results = try await database.commit {
                $0.run(
                    """
                    INSERT INTO {credentials} (tenant, identifier, subject, hash, created_at, updated_at)
                    VALUES (:tenant, ?1, ?2, ?3, ?4, ?4) \(onConflict)
                    """, expect: 1, index, subject, hash, now)
                $0.run("SELECT subject FROM {credentials} WHERE tenant = :tenant AND identifier = ?1", index)
            }
            return try results.last?.first?.text("subject") ?? subject
        } catch let error as PluginError where error.reason == "sql.unique" {
            throw PasswordError.exists()
        }
    }

    /// Puts a stronger hash in the place of `old`; where another was faster, its hash stays.
    func strengthen(_ credential: Credential, hash: String, at now: Int64) async throws {
        try await database.commit {
            $0.run(
                """
                UPDATE {credentials} SET hash = ?3, updated_at = ?4
                WHERE tenant = :tenant AND subject = ?1 AND hash = ?2
                """, credential.subject, credential.hash, hash, now)
        }
    }

    func remove(subject: String) async throws {
        try await database.commit {
            $0.run("DELETE FROM {credentials} WHERE tenant = :tenant AND subject = ?1", subject)
        }
    }
}
