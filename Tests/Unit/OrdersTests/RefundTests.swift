// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Orders

@Suite struct RefundTests {
    private func bought(_ chips: Int64 = 100, fault: String = "") async throws -> (shop: Shop, id: String) {
        let shop = try await Shop()
        let order = try await shop.buy(chips, fault: fault)
        try await shop.run(3000)
        #expect(try await shop.get(order.id).status == .fulfilled)
        return (shop, order.id)
    }

    @Test func refundsInPartsTakeBackChipsInProportion() async throws {
        let (shop, id) = try await bought()
        let first = try await shop.refund(id, 301)
        #expect(first.chips == 31 && first.status == "PENDING")
        #expect(try await shop.chips().available == 69)
        #expect(await reason { try await shop.refund(id, 1) } == "orders.refund_live")
        try await shop.run(1000)
        let partly = try await shop.get(id)
        #expect(partly.status == .partiallyRefunded && partly.refunded == 301)
        #expect(try await shop.chips().balance == 69)
        #expect(await reason { try await shop.refund(id, 700) } == "orders.refund_exceeds")
        #expect(try await shop.refund(id, 699).chips == 69)
        try await shop.run(1000)
        let all = try await shop.get(id)
        #expect(all.status == .refunded && all.refunded == 1000)
        #expect(try await shop.chips().balance == 0)
        #expect(await reason { try await shop.refund(id, 1) } == "orders.not_refundable")
        for account in ["system:issued:CHIP", "system:sales:CNY", "system:clearing:CNY"] {
            #expect(try await shop.ledger.getBalance(.with { $0.account = account }).balance == 0)
        }
        #expect(try await shop.booksHold())
        #expect(try await shop.events("order.refunded").count == 2)
    }

    @Test func spentChipsAreNotRefunded() async throws {
        let (shop, id) = try await bought()
        try await shop.spend(60)
        #expect(await reason { try await shop.refund(id, 500) } == "orders.insufficient_chips")
        #expect(try await shop.get(id).status == .fulfilled)
        #expect(try await shop.chips().available == 40)
        _ = try await shop.refund(id, 400)
        try await shop.run(1000)
        #expect(try await shop.get(id).refunded == 400)
        #expect(try await shop.chips().balance == 0)
    }

    @Test func declinedRefundFreesTheChips() async throws {
        let (shop, id) = try await bought(fault: "refund_fail")
        _ = try await shop.refund(id, 500)
        #expect(try await shop.chips().available == 50)
        try await shop.run(1000)
        let order = try await shop.get(id)
        #expect(order.status == .fulfilled && order.refunded == 0)
        #expect(try await shop.chips().available == 100)
        #expect(try await shop.booksHold())
    }

    @Test(arguments: ["refund_unknown", "drop", "duplicate"]) func refundEndsOnce(_ fault: String) async throws {
        let (shop, id) = try await bought(fault: fault)
        let refund = try await shop.refund(id, 500)
        #expect(refund.status == (fault == "refund_unknown" ? "UNKNOWN" : "PENDING"))
        try await shop.run(60_000)
        let order = try await shop.get(id)
        #expect(order.status == .partiallyRefunded && order.refunded == 500)
        #expect(try await shop.chips().balance == 50)
        #expect(try await shop.booksHold())
    }

    @Test func sameRequestGoesOnWithItsRefund() async throws {
        let (shop, id) = try await bought()
        let first = try await shop.refund(id, 100, key: "k1")
        try await shop.run(1000)
        let again = try await shop.refund(id, 100, key: "k1")
        #expect(again.id == first.id && again.status == "SUCCEEDED")
        #expect(try await shop.get(id).refunded == 100)
        #expect(await reason { try await shop.refund(id, 200, key: "k1") } == "orders.key_reused")
    }

    @Test func crashBetweenTheMoneyAndTheChipsIsRepaired() async throws {
        let (shop, id) = try await bought()
        shop.ledgerErrors.withLock { $0 = [PluginError(.unavailable, "ledger.down", "Down.", effect: .unknown)] }
        _ = try await shop.refund(id, 200)
        try await shop.run(60_000)
        let order = try await shop.get(id)
        #expect(order.status == .partiallyRefunded && order.refunded == 200)
        #expect(try await shop.chips().balance == 80)
        #expect(try await shop.booksHold())
    }
}
