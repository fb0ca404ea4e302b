// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Orders

@Suite struct OrdersTests {
    @Test func chipsArriveOnceTheMoneyHas() async throws {
        let shop = try await Shop()
        let order = try await shop.order(100)
        #expect(order.id.hasPrefix("ord_") && order.status == .created && order.price.amount == 1000)
        let paying = try await shop.pay(order.id)
        #expect(paying.status == .paying && paying.attempt.status == .pending)
        #expect(paying.attempt.clientAction == "simulator://pay/\(paying.attempt.number)")
        #expect(try await shop.chips().balance == 0)
        try await shop.run(1000)
        let done = try await shop.get(order.id)
        #expect(done.status == .fulfilled && done.attempt.status == .success && done.paidAt > 0)
        #expect(try await shop.chips().balance == 100)
        #expect(try await shop.booksHold())
        #expect(try await shop.events("order.") == ["order.created", "order.paid", "order.fulfilled"])
        let last = try #require(try await shop.rawEvents("order.").last)
        #expect(last.channel == "user:usr_1" && last.aggregate == order.id)
        #expect(last.data.contains("\"order_id\":\"\(order.id)\"") && last.data.contains("\"status\":\"FULFILLED\""))
        #expect(shop.host.violations.isEmpty)
    }

    @Test func orderOfAnotherIsNotFound() async throws {
        let shop = try await Shop()
        let order = try await shop.order()
        #expect(await reason { try await shop.get(order.id, user: "usr_2") } == "orders.not_found")
        #expect(await reason { try await shop.pay(order.id, user: "usr_2") } == "orders.not_found")
        #expect(await reason { try await shop.get("ord_none") } == "orders.not_found")
        let euro = OrdersCreateOrderRequest.with {
            $0.chips = 1
            $0.currency = "EUR"
        }
        #expect(await reason { try await shop.orders().createOrder(euro) } == "orders.currency")
    }

    @Test func secondPaymentIsRefusedWhileOneIsLive() async throws {
        let shop = try await Shop()
        let order = try await shop.buy(fault: "unknown")
        #expect(order.attempt.status == .unknown)
        #expect(await reason { try await shop.pay(order.id) } == "orders.payment_live")
        try await shop.run(5000)
        #expect(await reason { try await shop.pay(order.id) } == "orders.not_payable")
        #expect(try await shop.chips().balance == 100)
    }

    @Test func sameRequestGoesOnWithItsAttempt() async throws {
        let shop = try await Shop()
        let order = try await shop.order()
        let first = try await shop.pay(order.id, key: "k1")
        let again = try await shop.pay(order.id, key: "k1")
        #expect(first.attempt.number == again.attempt.number)
        #expect(await reason { try await shop.pay(order.id, key: "k2") } == "orders.payment_live")
    }

    /// Whatever the simulator does, the chips come once and the books hold.
    @Test(arguments: ["", "duplicate", "reorder", "delay", "forge", "alter_amount", "drop", "unknown"])
    func faultEndsInOneCredit(_ fault: String) async throws {
        let shop = try await Shop()
        let order = try await shop.buy(fault: fault)
        try await shop.run(200_000)
        let done = try await shop.get(order.id)
        #expect(done.status == .fulfilled && done.attempt.status == .success)
        #expect(try await shop.chips().balance == 100)
        #expect(try await shop.booksHold())
        #expect(try await shop.events("order.fulfilled") == ["order.fulfilled"])
        let statuses = shop.deliveries.withLock { $0.map(\.status) }
        switch fault {
        case "duplicate": #expect(statuses == [200, 200, 200])
        case "forge": #expect(statuses == [401, 200])
        case "alter_amount": #expect(statuses == Array(repeating: 500, count: 8))
        case "drop": #expect(statuses.isEmpty)
        default: #expect(statuses == [200])
        }
    }

    @Test func declinedPaymentMayBeTriedAgain() async throws {
        let shop = try await Shop()
        let order = try await shop.buy(fault: "fail")
        try await shop.run(1000)
        let failed = try await shop.get(order.id)
        #expect(failed.status == .created && failed.attempt.status == .failed)
        #expect(failed.attempt.failure == "simulator.declined")
        _ = try await shop.pay(order.id)
        try await shop.run(1000)
        #expect(try await shop.get(order.id).status == .fulfilled)
        #expect(try await shop.chips().balance == 100)
    }

    @Test func refusedPaymentFailsAtOnce() async throws {
        let shop = try await Shop()
        let order = try await shop.order()
        let failed = try await shop.pay(order.id, fault: "no_such_fault")
        #expect(failed.status == .created && failed.attempt.failure == "payment.bad_request")
    }

    @Test func unpaidPaymentIsClosedInTime() async throws {
        let shop = try await Shop()
        shop.host.serve("orders.payment/CreatePayment") { (request: PaymentCreatePaymentRequest, _) in
            PaymentPayment.with {
                $0.number = request.number
                $0.amount = request.amount
                $0.status = .pending
            }
        }
        shop.host.serve("orders.payment/QueryPayment") { (request: PaymentQueryPaymentRequest, _) in
            PaymentPayment.with {
                $0.number = request.number
                $0.amount.amount = 1000
                $0.amount.currency = "CNY"
                $0.status = .pending
            }
        }
        shop.host.serve("orders.payment/ClosePayment") { (request: PaymentClosePaymentRequest, _) in
            PaymentPayment.with {
                $0.number = request.number
                $0.amount.amount = 1000
                $0.amount.currency = "CNY"
                $0.status = .closed
            }
        }
        let order = try await shop.buy()
        try await shop.run(29 * 60_000)
        #expect(try await shop.get(order.id).status == .paying)
        try await shop.run(4 * 60_000)
        let closed = try await shop.get(order.id)
        #expect(closed.status == .created && closed.attempt.failure == "payment.closed")
    }

    @Test func crashBeforeTheCreditIsRepairedByTheNextNotification() async throws {
        let shop = try await Shop()
        shop.ledgerErrors.withLock { $0 = [PluginError(.unavailable, "ledger.down", "Down.", effect: .unknown)] }
        let order = try await shop.buy()
        try await shop.run(100)
        #expect(try await shop.get(order.id).status == .paid)
        #expect(try await shop.chips().balance == 0)
        #expect(shop.deliveries.withLock { $0.map(\.status) } == [500])
        try await shop.run(1000)
        #expect(try await shop.get(order.id).status == .fulfilled)
        #expect(shop.deliveries.withLock { $0.map(\.status) } == [500, 200])
        #expect(try await shop.chips().balance == 100)
    }

    @Test func crashAfterTheCreditDoesNotCreditAgain() async throws {
        let shop = try await Shop()
        let order = try await shop.order()
        // The ledger has posted, and orders died before they wrote it down.
        let key = try StepKey.of(order.id, "credit")
        _ = try await shop.ledger.post(
            .with {
                $0.key = key
                $0.memo = "Chips bought"
                $0.reference = order.id
                $0.postings = [
                    .posting("user:usr_1:CHIP", 100, "CHIP"), .posting("system:issued:CHIP", -100, "CHIP"),
                    .posting("system:sales:CNY", 1000, "CNY"), .posting("system:clearing:CNY", -1000, "CNY"),
                ]
            })
        _ = try await shop.pay(order.id)
        try await shop.run(10_000)
        #expect(try await shop.get(order.id).status == .fulfilled)
        #expect(try await shop.chips().balance == 100)
    }

    @Test func lostNotificationIsMadeUpForByTheTimer() async throws {
        let shop = try await Shop()
        shop.delivers.withLock { $0 = false }
        let order = try await shop.buy()
        try await shop.run(2500)
        #expect(try await shop.get(order.id).status == .fulfilled)
    }

    @Test func notificationIsProvedBeforeItIsBelieved() async throws {
        let shop = try await Shop()
        let order = try await shop.buy()
        try await shop.run(1000)
        let real = try #require(shop.deliveries.withLock { $0.first?.request })
        // Replayed: acknowledged, without a second credit.
        #expect(try await shop.notify(real).status == 200)
        var altered = real
        altered.body = Data(String(decoding: real.body, as: UTF8.self).replacing("1000", with: "1").utf8)
        #expect(try await shop.notify(altered).status == 401)
        var naked = real
        naked.headers = []
        #expect(try await shop.notify(naked).status == 401)
        var foreign = real
        foreign.pathParameters = [Shop.pair("provider", "elsewhere")]
        #expect(await reason { try await shop.notify(foreign) } == "orders.unknown_provider")
        shop.host.advance(milliseconds: 301_000)
        #expect(try await shop.notify(real).status == 401)
        #expect(try await shop.chips().balance == 100)
        #expect(try await shop.get(order.id).status == .fulfilled)
    }
}
