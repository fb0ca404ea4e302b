// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Orders

/// What a person with many orders is told: all of them.
struct OrdersExportTests {
    private struct Export: Decodable {
        struct Order: Decodable { var id: String, price: Int64, createdAt: String }
        var orders: [Order]?
    }

    @Test func everyOrderIsInOnePage() async throws {
        let shop = try await Shop()
        shop.host.route("holder", to: "orders", capability: "theatre.privacy.v1.Holder")
        // Ten of each moment; prices of 1 to 19 digits.
        try await Database(shop.probe, feature: "orders.storage").commit { batch in
            batch.run(
                """
                /* tenants: all */ INSERT INTO {orders} (tenant, id, user_id, phase, currency, price, chips, refunded,
                    chips_back, created_at, paid_at, version)
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
                SELECT 'default', 'ord_' || n.i, 'usr_' || (n.i % 2), 'created', 'CNY',
                    cast(substr('1234567890123456789', 1, 1 + n.i % 19) AS BIGINT), 1, 0, 0, n.i / 10, 0, 1 FROM n
                """)
        }
        let holder = PrivacyHolderClient(shop.host.scope(), feature: "holder")
        let pages = try await HolderPages.all(of: "usr_1", from: holder)
        #expect(pages.count > 1)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let orders = try pages.flatMap { json in
            try decoder.decode(Export.self, from: Data(json.utf8)).orders ?? []
        }
        #expect(orders.count == 4000)
        let ids: [String] = stride(from: 1, through: 8000, by: 2).map { "ord_\($0)" }
        #expect(Set(orders.map(\.id)) == Set(ids))
        #expect(zip(orders, orders.dropFirst()).allSatisfy { $0.createdAt >= $1.createdAt })
    }
}
