// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// An order as it is kept.
struct OrderRow: Sendable {
    var id: String
    var user: String
    var machine: OrderMachine
    var currency: String
    var createdAt: Int64
    var paidAt: Int64
    var version: Int64

    static let columns = """
        id, user_id, phase, currency, price, chips, refunded, chips_back, created_at, paid_at, version
        """

    init(_ row: Row) throws {
        guard let phase = OrderPhase(rawValue: try row.text("phase")) else { throw OrdersError.broken("order") }
        id = try row.text("id")
        user = try row.text("user_id")
        machine = OrderMachine(
            phase: phase, price: try row.int("price"), chips: try row.int("chips"), refunded: try row.int("refunded"),
            chipsBack: try row.int("chips_back"))
        currency = try row.text("currency")
        createdAt = try row.int("created_at")
        paidAt = try row.int("paid_at")
        version = try row.int("version")
    }

    init(id: String, user: String, machine: OrderMachine, currency: String, createdAt: Int64) {
        self.id = id
        self.user = user
        self.machine = machine
        self.currency = currency
        self.createdAt = createdAt
        paidAt = 0
        version = 1
    }

    func message(_ attempt: AttemptRow?) -> OrdersOrder {
        .with {
            $0.id = id
            $0.status = machine.phase.status
            $0.price.amount = machine.price
            $0.price.currency = currency
            $0.chips = machine.chips
            if let attempt { $0.attempt = attempt.message }
            $0.refunded = machine.refunded
            $0.createdAt = createdAt
            $0.paidAt = paidAt
        }
    }
}

/// A payment attempt as it is kept.
struct AttemptRow: Sendable {
    var number: String
    var orderID: String
    var machine: AttemptMachine
    var clientAction: String
    var requestKey: String
    var createdAt: Int64
    /// How often the provider was asked about it.
    var asked: Int64

    static let columns = "number, order_id, phase, failure, client_action, request_key, created_at, asked"

    init(_ row: Row) throws {
        guard let phase = AttemptPhase(rawValue: try row.text("phase")) else { throw OrdersError.broken("attempt") }
        number = try row.text("number")
        orderID = try row.text("order_id")
        machine = AttemptMachine(phase: phase, failure: try row.text("failure"))
        clientAction = try row.text("client_action")
        requestKey = try row.text("request_key")
        createdAt = try row.int("created_at")
        asked = try row.int("asked")
    }

    init(number: String, orderID: String, requestKey: String, createdAt: Int64) {
        self.number = number
        self.orderID = orderID
        machine = AttemptMachine()
        clientAction = ""
        self.requestKey = requestKey
        self.createdAt = createdAt
        asked = 0
    }

    var message: OrdersAttempt {
        .with {
            $0.number = number
            $0.status = machine.phase.status
            $0.clientAction = clientAction
            $0.failure = machine.failure
        }
    }
}

/// A refund as it is kept.
struct RefundRow: Sendable {
    var id: String
    var orderID: String
    var paymentNumber: String
    var machine: RefundMachine
    var amount: Int64
    var chips: Int64
    var reason: String
    var requestKey: String
    var createdAt: Int64
    var asked: Int64

    static let columns = "id, order_id, payment_number, phase, amount, chips, reason, request_key, created_at, asked"

    init(_ row: Row) throws {
        guard let phase = RefundPhase(rawValue: try row.text("phase")) else { throw OrdersError.broken("refund") }
        id = try row.text("id")
        orderID = try row.text("order_id")
        paymentNumber = try row.text("payment_number")
        machine = RefundMachine(phase: phase)
        amount = try row.int("amount")
        chips = try row.int("chips")
        reason = try row.text("reason")
        requestKey = try row.text("request_key")
        createdAt = try row.int("created_at")
        asked = try row.int("asked")
    }

    init(
        id: String, order: OrderRow, paymentNumber: String, amount: Int64, chips: Int64, reason: String,
        requestKey: String, createdAt: Int64
    ) {
        self.id = id
        orderID = order.id
        self.paymentNumber = paymentNumber
        machine = RefundMachine()
        self.amount = amount
        self.chips = chips
        self.reason = reason
        self.requestKey = requestKey
        self.createdAt = createdAt
        asked = 0
    }

    func message(currency: String) -> OrdersOrderRefund {
        .with {
            $0.id = id
            $0.orderID = orderID
            $0.amount.amount = amount
            $0.amount.currency = currency
            $0.chips = chips
            $0.status = machine.phase.shown
        }
    }
}

extension OrderPhase {
    var status: OrdersOrderStatus {
        switch self {
        case .created: .created
        case .paying: .paying
        case .paid: .paid
        case .fulfilled: .fulfilled
        case .closed: .closed
        case .refunding: .refunding
        case .refunded: .refunded
        case .partiallyRefunded: .partiallyRefunded
        }
    }
}

extension AttemptPhase {
    var status: OrdersAttemptStatus {
        switch self {
        case .initial: .init_
        case .pending: .pending
        case .success: .success
        case .failed: .failed
        case .unknown: .unknown
        }
    }
}
