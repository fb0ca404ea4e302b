// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import TheatrePlugin

/// Budgets in the instance's table `budgets`, found by their kind and what ``KeyedIndex`` makes of whose they are.
struct BudgetStore {
    private let database: Database
    private let index: KeyedIndex

    init(_ scope: some CallScope, feature: String) {
        database = Database(scope, feature: feature)
        index = KeyedIndex(scope, storage: feature, purpose: "code budget")
    }

    /// Takes all charges, or none.
    ///
    /// - Throws: RESOURCE_EXHAUSTED `auth.throttled` with the time until the budget that lacks is there again.
    func take(_ charges: [Charge], tenant: String, at now: Int64) async throws {
        let owners = charges.map { (address: "\($0.kind)\n\($0.whom)", tenant: $0.isGlobal ? "" : tenant) }
        let texts = try await index.texts(of: owners)
        // One order for all, so that no two wait for each other.
        let named = zip(charges, texts).map { (charge: $0, bucket: "\($0.kind) \($1)") }
            .sorted { $0.bucket < $1.bucket }
        try await database.write { tx in
            for (charge, bucket) in named {
                let owner = charge.isGlobal ? "" : tenant
                let rows = try await tx.run(
                    "/* tenants: all */ SELECT used, since FROM {budgets} WHERE tenant = ?1 AND bucket = ?2", owner,
                    bucket)
                let since = try rows.first?.int("since") ?? now
                let isOver = now - since >= charge.window
                let used = isOver ? 0 : try rows.first?.int("used") ?? 0
                guard used + charge.amount <= charge.limit else {
                    throw CodeError.throttled(milliseconds: since + charge.window - now)
                }
                try await tx.run(
                    """
                    /* tenants: all */ INSERT INTO {budgets} (tenant, bucket, used, since) VALUES (?1, ?2, ?3, ?4)
                    ON CONFLICT (tenant, bucket) DO UPDATE SET used = ?3, since = ?4
                    """, expect: 1, owner, bucket, used + charge.amount, isOver ? now : since)
            }
            // Nothing in here lasts longer than the longest window.
            try await tx.run(
                "/* tenants: all */ DELETE FROM {budgets} WHERE since < ?1", now - 2 * 86_400_000)
        }
    }
}
