// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PersonalExports
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What is held of a person here: his orders, which stay under his id.
extension Orders: PrivacyHolderContract {
    private struct Order: Encodable {
        var id: String
        var status: String
        var price: Int64
        var currency: String
        var chips: Int64
        var refunded: Int64
        var createdAt: String
    }

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        let database = database(call)
        let order = Keyset(.descending("created_at"), .descending("id"))
        let orders = ExportList("orders", by: order, numbers: ["created_at"]) { keyset, cursor in
            try await database.page(
                "SELECT \(OrderRow.columns) FROM {orders} WHERE tenant = :tenant AND user_id = ?1", by: keyset,
                after: cursor, limit: 200, request.person)
        } show: { row in
            let order = try OrderRow(row)
            return Order(
                id: order.id, status: order.machine.phase.rawValue, price: order.machine.price,
                currency: order.currency, chips: order.machine.chips, refunded: order.machine.refunded,
                createdAt: PersonalExport.time(order.createdAt))
        }
        return try await PersonalExport(orders).answer(request)
    }

    func erase(_ request: PrivacyEraseRequest, _ call: Call) async throws -> PrivacyEraseResponse {
        .with { $0.kept = ["orders: kept with the books as the law asks for it, under the pseudonym"] }
    }
}
