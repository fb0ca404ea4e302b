// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What operators did, one row each.
struct AdminStore {
    private let database: Database

    init(_ scope: some CallScope) { database = Database(scope, feature: "admin.storage") }

    func migrate() async throws {
        try await database.migrate([
            Migration(
                "001-changes",
                """
                CREATE TABLE {changes} (
                    tenant TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL, operator TEXT NOT NULL,
                    action TEXT NOT NULL, instance TEXT NOT NULL, reason TEXT NOT NULL,
                    PRIMARY KEY (tenant, id)
                );
                """),
            Migration(
                "002-libraries",
                """
                ALTER TABLE {changes} ADD COLUMN library TEXT NOT NULL DEFAULT '';
                ALTER TABLE {changes} ADD COLUMN digest TEXT NOT NULL DEFAULT '';
                """),
        ])
    }

    /// What an operator did.
    struct Change {
        var action: String
        var instance: String
        /// In the operator's words, or empty.
        var reason: String
        /// That a swap named, or empty.
        var library: String
        /// SHA-256 of the build that serves after a swap or a rollback, hex; else empty.
        var digest: String
    }

    /// Stores that something was done, and the answer.
    func note(_ change: Change, by call: Call, _ answer: some Message) async throws {
        let now = call.host.now
        try await database.commit { batch in
            batch.run(
                """
                INSERT INTO {changes} (tenant, id, at, operator, action, instance, reason, library, digest)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                """, expect: 1, ULID.next(prefix: "chg", at: now), now, call.principal, change.action, change.instance,
                change.reason, change.library, change.digest)
            try batch.answer(answer)
        }
    }
}
