// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Refunds: the chips are held, the money goes back, the chips are taken.
extension Orders {
    func refundOrder(_ request: OrdersRefundOrderRequest, _ call: Call) async throws -> OrdersOrderRefund {
        let user = try user(call)
        let id = ULID.next(prefix: "ref", at: host.now)
        let known = try await order(request.orderID, call)
        guard known.user == user else { throw OrdersError.notFound() }
        // Before the refund, so that none is left without one who takes it up again.
        var trial = known.machine
        let isWatched = trial.refund(request.amount) != nil
        if isWatched { try await watch(id, call) }
        let refund = try await begin(request, id: id, user: user, call)
        if !isWatched, refund.id == id { try await watch(id, call) }
        do {
            try await drive(refund.id, call)
        } catch let error as PluginError where error.reason == "orders.insufficient_chips" {
            throw error
        } catch {
            host.log.warning("a refund waits for its timer", ["refund.id": refund.id, "error": "\(error)"])
        }
        return try await database(call).write { tx in
            guard let refund = try await OrdersStore(tx: tx).refund(refund.id) else {
                throw OrdersError.broken("refund")
            }
            let message = refund.message(currency: known.currency)
            try tx.answer(message)
            return message
        }
    }

    private func watch(_ id: String, _ call: Call) async throws {
        try await schedule("refund:\(id)", at: host.now + configuration.wait(0), call)
    }

    /// Writes the refund down. The same request, come again after a crash, goes on with what it began.
    private func begin(_ request: OrdersRefundOrderRequest, id: String, user: String, _ call: Call) async throws
        -> RefundRow
    {
        let now = host.now
        let key = call.context.idempotencyKey
        return try await database(call).write { tx in
            let store = OrdersStore(tx: tx)
            var order = try await store.order(request.orderID, of: user)
            if let known = try await store.refund(of: order.id, requestKey: key) {
                guard known.amount == request.amount else { throw OrdersError.keyReused() }
                return known
            }
            if order.machine.phase == .refunding { throw OrdersError.refundLive() }
            guard [.fulfilled, .partiallyRefunded].contains(order.machine.phase),
                let payment = try await store.paidAttempt(of: order.id)
            else { throw OrdersError.notRefundable(order.machine.phase) }
            guard let chips = order.machine.refund(request.amount) else { throw OrdersError.refundTooMuch() }
            let refund = RefundRow(
                id: id, order: order, paymentNumber: payment.number, amount: request.amount, chips: chips,
                reason: request.reason, requestKey: key, createdAt: now)
            try await store.insert(refund)
            try await store.save(order)
            return refund
        }
    }

    // MARK: Steps

    /// Takes steps until the provider has to be waited for, or nothing is left.
    func drive(_ id: String, _ call: Call) async throws {
        while true {
            let (refund, order) = try await refund(id, call)
            switch refund.machine.next {
            case .hold: try await holdChips(refund, order, call)
            case .send:
                let report = await send(refund, order, call)
                try await step(id, call) { refund, _ in refund.machine.report(report) }
            case .settle: try await settle(refund, order, call)
            case .void: try await free(refund, call)
            case .ask, .nothing: return
            }
        }
    }

    func refund(_ id: String, _ call: Call) async throws -> (RefundRow, OrderRow) {
        guard let row = try await database(call).read(OrdersStore.refund, id).first else {
            throw OrdersError.broken("refund")
        }
        let refund = try RefundRow(row)
        return (refund, try await order(refund.orderID, call))
    }

    /// Moves a refund, and its order with it, where `move` says so. One that somebody else moved stays as it is.
    func step(
        _ id: String, event: String? = nil, _ call: Call,
        _ move: @Sendable (inout RefundRow, inout OrderRow) -> Bool
    ) async throws {
        try await database(call).write { tx in
            let store = OrdersStore(tx: tx)
            guard var refund = try await store.refund(id), var order = try await store.order(refund.orderID) else {
                throw OrdersError.broken("refund")
            }
            let before = order.machine
            guard move(&refund, &order) else { return }
            try await store.save(refund)
            if order.machine != before { try await store.save(order) }
            if let event { try OrderEvents.publish(event, order, in: tx) }
        }
    }

    private func holdChips(_ refund: RefundRow, _ order: OrderRow, _ call: Call) async throws {
        if refund.chips > 0 {
            var hold = LedgerHoldRequest()
            hold.key = try StepKey.of(refund.id, "hold")
            hold.account = "user:\(order.user):CHIP"
            hold.amount.amount = refund.chips
            hold.amount.currency = "CHIP"
            // Longer than any provider takes to say what became of a refund.
            hold.expiresAt = refund.createdAt + 30 * 86_400_000
            hold.memo = "Chips of a refund"
            hold.reference = order.id
            do {
                _ = try await ledger(call).hold(hold, CallOptions(idempotencyKey: hold.key))
            } catch let error as PluginError where error.reason == "ledger.insufficient_funds" {
                try await step(refund.id, call) { refund, order in
                    refund.machine.refused() && order.machine.refundFailed()
                }
                throw OrdersError.insufficientChips()
            }
        }
        try await step(refund.id, call) { refund, _ in refund.machine.held() }
    }

    private func send(_ refund: RefundRow, _ order: OrderRow, _ call: Call) async -> RefundReport {
        var request = PaymentCreateRefundRequest()
        request.paymentNumber = refund.paymentNumber
        request.refundNumber = refund.id
        request.amount.amount = refund.amount
        request.amount.currency = order.currency
        request.total.amount = order.machine.price
        request.total.currency = order.currency
        request.reason = refund.reason
        do {
            let answer = try await provider(call).createRefund(
                request, CallOptions(idempotencyKey: refund.id, timeout: .seconds(15)))
            return RefundReport(answer)
        } catch let error as PluginError where error.effect == .none && error.isDefinite {
            host.log.warning("a refund was declined", ["refund.id": refund.id, "reason": error.reason])
            return .failed
        } catch {
            host.log.debug("a refund got no answer", ["refund.id": refund.id, "error": "\(error)"])
            return .noAnswer
        }
    }

    private func settle(_ refund: RefundRow, _ order: OrderRow, _ call: Call) async throws {
        if refund.chips > 0 {
            var settle = LedgerSettleRequest()
            settle.key = try StepKey.of(refund.id, "hold")
            settle.to = "system:issued:CHIP"
            settle.memo = "Chips taken back"
            _ = try await ledger(call).settle(settle, CallOptions(idempotencyKey: settle.key))
        }
        var entry = LedgerPostRequest()
        entry.key = try StepKey.of(refund.id, "money")
        entry.memo = "Refund"
        entry.reference = order.id
        entry.postings = [
            .posting("system:sales:\(order.currency)", -refund.amount, order.currency),
            .posting("system:clearing:\(order.currency)", refund.amount, order.currency),
        ]
        _ = try await ledger(call).post(entry, CallOptions(idempotencyKey: entry.key))
        try await step(refund.id, event: "refunded", call) { refund, order in
            refund.machine.settled() && order.machine.refundSucceeded(refund.amount, chips: refund.chips)
        }
    }

    private func free(_ refund: RefundRow, _ call: Call) async throws {
        if refund.chips > 0 {
            let key = try StepKey.of(refund.id, "hold")
            let request = LedgerVoidRequest.with { $0.key = key }
            _ = try await ledger(call).void(request, CallOptions(idempotencyKey: request.key))
        }
        try await step(refund.id, call) { refund, order in refund.machine.voided() && order.machine.refundFailed() }
    }

    // MARK: Reconciling

    func reconcileRefund(_ id: String, _ call: Call) async throws {
        guard let row = try await database(call).read(OrdersStore.refund, id).first else { return }
        let refund = try RefundRow(row)
        guard !refund.machine.phase.isFinal else { return }
        if refund.machine.next == .ask {
            let report = await askAfter(refund, call)
            try await step(id, call) { refund, _ in refund.machine.report(report) }
        }
        do {
            try await drive(id, call)
        } catch let error as PluginError where error.reason == "orders.insufficient_chips" {
            return
        }
        try await step(id, call) { refund, _ in
            refund.asked += 1
            return true
        }
        let after = try await self.refund(id, call).0
        if !after.machine.phase.isFinal {
            try await schedule("refund:\(id)", at: host.now + configuration.wait(after.asked), call)
        }
    }

    private func askAfter(_ refund: RefundRow, _ call: Call) async -> RefundReport {
        let request = PaymentQueryRefundRequest.with { $0.refundNumber = refund.id }
        do {
            let answer = try await provider(call).queryRefund(request)
            return answer.amount.amount == refund.amount ? RefundReport(answer) : .noAnswer
        } catch let error as PluginError where error.code == .notFound {
            return .notFound
        } catch {
            host.log.debug("a payment provider was asked in vain", ["refund.id": refund.id, "error": "\(error)"])
            return .noAnswer
        }
    }
}

extension RefundReport {
    init(_ refund: PaymentRefund) {
        self =
            switch refund.status {
            case .succeeded: .succeeded
            case .failed: .failed
            case .pending, .unspecified, .UNRECOGNIZED: .pending
            }
    }
}
