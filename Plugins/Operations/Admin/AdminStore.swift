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
                """)
        ])
    }

    /// Stores that something was done, and the answer.
    func note(_ action: String, _ request: HostOperateRequest, by call: Call, _ answer: some Message) async throws {
        let now = call.host.now
        try await database.commit { batch in
            batch.run(
                """
                INSERT INTO {changes} (tenant, id, at, operator, action, instance, reason)
                VALUES (:tenant, ?1, ?2, ?3, ?4, ?5, ?6)
                """, expect: 1, ULID.next(prefix: "chg", at: now), now, call.principal, action, request.instance,
                request.reason)
            try batch.answer(answer)
        }
    }
}
