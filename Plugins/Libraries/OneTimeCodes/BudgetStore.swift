// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Budgets in the instance's table `budgets`.
struct BudgetStore {
    private let database: Database

    init(_ scope: some CallScope, feature: String) { database = Database(scope, feature: feature) }

    /// Takes all charges, or none.
    ///
    /// - Throws: RESOURCE_EXHAUSTED `auth.throttled` with the time until the budget that lacks is there again.
    func take(_ charges: [Charge], tenant: String, at now: Int64) async throws {
        try await database.write { tx in
            // One order for all, so that no two wait for each other.
            for charge in charges.sorted(by: { $0.bucket < $1.bucket }) {
                let owner = charge.isGlobal ? "" : tenant
                let rows = try await tx.run(
                    "/* tenants: all */ SELECT used, since FROM {budgets} WHERE tenant = ?1 AND bucket = ?2", owner,
                    charge.bucket)
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
                    """, expect: 1, owner, charge.bucket, used + charge.amount, isOver ? now : since)
            }
            // Nothing in here lasts longer than the longest window.
            try await tx.run(
                "/* tenants: all */ DELETE FROM {budgets} WHERE since < ?1", now - 2 * 86_400_000)
        }
    }
}
