// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatrePlugin

/// What orders tell: to the person whose order it is, and to other plugins.
enum OrderEvents {
    private struct Body: Encodable {
        var orderID: String
        var userID: String
        var status: String
        var chips: Int64
        var amount: Int64
        var currency: String
        var refunded: Int64
    }

    /// `order.created`, `order.paid`, `order.fulfilled`, `order.refunded`.
    static func publish(_ type: String, _ order: OrderRow, in tx: Transaction) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let body = Body(
            orderID: order.id, userID: order.user, status: order.machine.phase.rawValue.uppercased(),
            chips: order.machine.chips, amount: order.machine.price, currency: order.currency,
            refunded: order.machine.refunded)
        tx.publish(
            type: "order.\(type)", aggregate: order.id, data: String(decoding: try encoder.encode(body), as: UTF8.self),
            channel: "user:\(order.user)")
    }
}
