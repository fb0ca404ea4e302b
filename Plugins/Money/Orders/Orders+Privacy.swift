// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import PersonalExports
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What is held of a person here: his orders, which stay under his id.
extension Orders: PrivacyHolderContract {
    /// Orders in one export, the newest.
    private static let exported: Int64 = 1000

    private struct Order: Encodable {
        var id: String
        var status: String
        var price: Int64
        var currency: String
        var chips: Int64
        var refunded: Int64
        var createdAt: String

        enum CodingKeys: String, CodingKey {
            case id, status, price, currency, chips, refunded
            case createdAt = "created_at"
        }
    }

    private struct Export: Encodable {
        var orders: [Order]
        var truncated: Bool
    }

    func export(_ request: PrivacyExportRequest, _ call: Call) async throws -> PrivacyExportResponse {
        let rows = try await database(call).read(
            """
            SELECT \(OrderRow.columns) FROM {orders} WHERE tenant = :tenant AND user_id = ?1
            ORDER BY created_at DESC, id DESC LIMIT ?2
            """, request.person, Self.exported + 1)
        var budget = ExportBudget()
        let found = try rows.prefix(Int(Self.exported)).map { row in
            let order = try OrderRow(row)
            return Order(
                id: order.id, status: order.machine.phase.rawValue, price: order.machine.price,
                currency: order.currency, chips: order.machine.chips, refunded: order.machine.refunded,
                createdAt: Date(timeIntervalSince1970: Double(order.createdAt) / 1000).ISO8601Format())
        }
        let orders = try budget.fitting(found)
        let export = Export(orders: orders, truncated: rows.count > orders.count)
        let json = String(decoding: try JSONEncoder().encode(export), as: UTF8.self)
        return .with { $0.json = json }
    }

    func erase(_ request: PrivacyEraseRequest, _ call: Call) async throws -> PrivacyEraseResponse {
        .with { $0.kept = ["orders: kept with the books as the law asks for it, under the pseudonym"] }
    }
}
