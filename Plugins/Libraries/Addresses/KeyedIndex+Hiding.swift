// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

extension KeyedIndex {
    private static let batch: Int64 = 200

    /// Addresses and numbers from before they were indexed become what stands for them, of all tenants, some in a
    /// transaction: cut off, the next activation goes on. Where there is a row already by what stands for the address,
    /// which is the only one that is found, the one from before goes.
    ///
    /// - Parameters:
    ///   - table: in braces, with a column `tenant`.
    ///   - column: unique within a tenant.
    public func hide(table: String, column: String) async throws {
        var last = (tenant: "", plain: "")
        while true {
            let rows = try await database.read(
                """
                /* tenants: all */ SELECT tenant, \(column) AS plain FROM \(table)
                WHERE (\(column) LIKE '%@%' OR \(column) LIKE '+%') AND (tenant > ?1 OR tenant = ?1 AND \(column) > ?2)
                ORDER BY tenant, \(column) LIMIT ?3
                """, last.tenant, last.plain, Self.batch)
            let found = try rows.map { (address: try $0.text("plain"), tenant: try $0.text("tenant")) }
            guard let end = found.last else { return }
            do {
                try await replace(found, with: texts(of: found), table: table, column: column)
            } catch let error as PluginError where error.reason == "sql.unique" {
                // Somebody was indexed between the two looks at one statement; the same rows again find them.
                continue
            }
            last = (end.tenant, end.address)
        }
    }

    private func replace(
        _ found: [(address: String, tenant: String)], with texts: [String], table: String, column: String
    ) async throws {
        try await database.commit {
            for (row, text) in zip(found, texts) {
                $0.run(
                    """
                    /* tenants: all */ UPDATE \(table) SET \(column) = ?3 WHERE tenant = ?1 AND \(column) = ?2
                        AND NOT EXISTS (SELECT 1 FROM \(table) WHERE tenant = ?1 AND \(column) = ?3)
                    """, row.tenant, row.address, text)
                $0.run(
                    "/* tenants: all */ DELETE FROM \(table) WHERE tenant = ?1 AND \(column) = ?2", row.tenant,
                    row.address)
            }
        }
    }
}
