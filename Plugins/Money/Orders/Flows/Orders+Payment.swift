// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Paying: an attempt is written down, then the provider is asked, then its answer is written down.
extension Orders {
    func payOrder(_ request: OrdersPayOrderRequest, _ call: Call) async throws -> OrdersOrder {
        let user = try user(call)
        guard request.fault.isEmpty || host.environment.development else { throw OrdersError.fault() }
        let known = try await order(request.orderID, call)
        guard known.user == user else { throw OrdersError.notFound() }
        let now = host.now
        let attempt = AttemptRow(
            number: ULID.next(prefix: "pay", at: now), orderID: known.id, requestKey: call.context.idempotencyKey,
            createdAt: now)
        // Before the attempt, so that none is left without one who asks after it.
        let isWatched = known.machine.phase == .created
        if isWatched { try await watch(attempt, call) }
        let begun = try await begin(attempt, user: user, call)
        guard begun.isNew else { return try await answer(begun.number, user: user, call) }
        if !isWatched { try await watch(attempt, call) }
        var payment = PaymentCreatePaymentRequest()
        payment.number = attempt.number
        payment.amount.amount = known.machine.price
        payment.amount.currency = known.currency
        payment.description_p = "\(known.machine.chips) chips"
        payment.notifyURL = "\(host.environment.publicURL)/api/v1/payments/\(configuration.provider)/notify"
        payment.channel = request.channel.isEmpty ? "native" : request.channel
        payment.expiresAt = now + configuration.paymentMinutes * 60_000
        payment.fault = request.fault
        let answered = await ask(known) {
            try await self.provider(call).createPayment(
                payment, CallOptions(idempotencyKey: attempt.number, timeout: .seconds(15)))
        }
        let order = try await database(call).write { tx in
            let store = OrdersStore(tx: tx)
            _ = try await apply(answered, to: attempt.number, about: "", in: store)
            let order = try await store.order(known.id, of: user)
            let message = order.message(try await store.lastAttempt(of: order.id))
            try tx.answer(message)
            return message
        }
        if order.status == .paid { await fulfilOrLeave(known.id, call) }
        return order
    }

    private func watch(_ attempt: AttemptRow, _ call: Call) async throws {
        try await schedule("attempt:\(attempt.number)", at: attempt.createdAt + configuration.wait(0), call)
    }

    /// Writes the attempt down. The same request, come again after a crash, goes on with what it began.
    private func begin(_ attempt: AttemptRow, user: String, _ call: Call) async throws -> (number: String, isNew: Bool)
    {
        try await database(call).write { tx in
            let store = OrdersStore(tx: tx)
            var order = try await store.order(attempt.orderID, of: user)
            if let last = try await store.lastAttempt(of: order.id) {
                if !attempt.requestKey.isEmpty, last.requestKey == attempt.requestKey { return (last.number, false) }
                if last.machine.phase.isLive { throw OrdersError.paymentLive() }
            }
            guard order.machine.pay() else { throw OrdersError.notPayable(order.machine.phase) }
            try await store.insert(attempt)
            try await store.save(order)
            return (attempt.number, true)
        }
    }

    private func answer(_ number: String, user: String, _ call: Call) async throws -> OrdersOrder {
        try await database(call).write { tx in
            let store = OrdersStore(tx: tx)
            guard let attempt = try await store.attempt(number) else { throw OrdersError.broken("attempt") }
            let message = try await store.order(attempt.orderID, of: user).message(attempt)
            try tx.answer(message)
            return message
        }
    }

    // MARK: What the provider says

    /// A provider's word about a payment, compared with what was asked.
    struct PaymentAnswer: Sendable {
        var report: PaymentReport
        var clientAction = ""
        /// Why it is not believed, or empty.
        var mismatch = ""

        init(_ report: PaymentReport) { self.report = report }

        init(_ payment: PaymentPayment, for order: OrderRow) {
            clientAction = payment.clientAction
            report =
                switch payment.status {
                case .succeeded: .succeeded
                case .failed: .failed(payment.failure.isEmpty ? "payment.failed" : payment.failure)
                case .closed: .failed("payment.closed")
                case .pending, .unspecified, .UNRECOGNIZED: .pending
                }
            // Only word of an end is held against what was asked: it is what moves money.
            if report == .pending {
                mismatch = ""
            } else if payment.amount.amount != order.machine.price {
                mismatch = "amount \(payment.amount.amount) for \(order.machine.price)"
            } else if payment.amount.currency != order.currency {
                mismatch = "currency \(payment.amount.currency.prefix(8)) for \(order.currency)"
            }
        }
    }

    /// Asks the provider. An error that may have had an effect is no answer, never a failure.
    func ask(_ order: OrderRow, _ question: () async throws -> PaymentPayment) async -> PaymentAnswer {
        do {
            return PaymentAnswer(try await question(), for: order)
        } catch let error as PluginError where error.effect == .none && error.isDefinite {
            return PaymentAnswer(.failed(error.reason))
        } catch {
            host.log.debug("a payment provider gave no answer", ["order.id": order.id, "error": "\(error)"])
            return PaymentAnswer(.noAnswer)
        }
    }

    /// Takes one step of the attempt and of its order.
    nonisolated(nonsending) func apply(
        _ answer: PaymentAnswer, to number: String, about notification: String, in store: OrdersStore
    ) async throws -> AttemptMachine.Step {
        let now = host.now
        guard var attempt = try await store.attempt(number), var order = try await store.order(attempt.orderID) else {
            throw OrdersError.broken("attempt")
        }
        var notice = OrdersNotice(
            at: now, provider: configuration.provider, id: notification, number: number, outcome: .applied)
        if !answer.mismatch.isEmpty {
            notice.outcome = .mismatch
            notice.detail = answer.mismatch
            try await store.record(notice)
            return .same
        }
        let isOld = now - attempt.createdAt >= configuration.notFound
        let step = attempt.machine.report(answer.report, isOld: isOld)
        if !answer.clientAction.isEmpty { attempt.clientAction = answer.clientAction }
        switch step {
        case .same, .waits: break
        case .conflict: notice.outcome = .conflict
        case .paid:
            guard order.machine.paid() else { throw OrdersError.broken("order") }
            order.paidAt = now
            try await store.save(order)
            try OrderEvents.publish("paid", order, in: store.tx)
        case .failed:
            guard order.machine.paymentFailed() else { throw OrdersError.broken("order") }
            try await store.save(order)
        }
        try await store.save(attempt)
        if !notification.isEmpty, step != .same { try await store.record(notice) }
        return step
    }

    // MARK: The chips

    /// Credits the chips of a paid order, once: the key is the order's.
    func fulfil(_ id: String, _ call: Call) async throws {
        let order = try await order(id, call)
        guard order.machine.phase == .paid else { return }
        let key = try StepKey.of(order.id, "credit")
        let entry = LedgerPostRequest.with {
            $0.key = key
            $0.memo = "Chips bought"
            $0.reference = order.id
            $0.postings = [
                .posting("user:\(order.user):CHIP", order.machine.chips, "CHIP"),
                .posting("system:issued:CHIP", -order.machine.chips, "CHIP"),
                .posting("system:sales:\(order.currency)", order.machine.price, order.currency),
                .posting("system:clearing:\(order.currency)", -order.machine.price, order.currency),
            ]
        }
        _ = try await ledger(call).post(entry, CallOptions(idempotencyKey: key))
        try await database(call).write { tx in
            let store = OrdersStore(tx: tx)
            guard var order = try await store.order(id), order.machine.fulfilled() else { return }
            try await store.save(order)
            try OrderEvents.publish("fulfilled", order, in: tx)
        }
    }

    /// Credits now, or leaves it to the timer of the attempt.
    func fulfilOrLeave(_ id: String, _ call: Call) async {
        do {
            try await fulfil(id, call)
        } catch {
            host.log.warning("the chips of an order wait for its timer", ["order.id": id, "error": "\(error)"])
        }
    }

    // MARK: Reconciling

    func reconcilePayment(_ number: String, _ call: Call) async throws {
        let now = host.now
        let rows = try await database(call).read(
            "SELECT \(AttemptRow.columns) FROM {attempts} WHERE tenant = :tenant AND number = ?1", number)
        guard let attempt = try rows.first.map(AttemptRow.init) else { return }
        let order = try await order(attempt.orderID, call)
        guard attempt.machine.phase.isLive else { return try await fulfil(order.id, call) }
        let expired = now - attempt.createdAt >= configuration.paymentMinutes * 60_000
        let answer = await askAfter(number, order, expired: expired, call)
        let (isLive, asked) = try await database(call).write { tx in
            let store = OrdersStore(tx: tx)
            _ = try await apply(answer, to: number, about: "", in: store)
            guard var attempt = try await store.attempt(number) else { throw OrdersError.broken("attempt") }
            attempt.asked += 1
            try await store.save(attempt)
            return (attempt.machine.phase.isLive, attempt.asked)
        }
        if isLive {
            try await schedule("attempt:\(number)", at: now + configuration.wait(asked), call)
        } else {
            try await fulfil(order.id, call)
        }
    }

    /// Asks what became of a payment; one that nobody paid in time is closed.
    private func askAfter(_ number: String, _ order: OrderRow, expired: Bool, _ call: Call) async -> PaymentAnswer {
        let query = PaymentQueryPaymentRequest.with { $0.number = number }
        do {
            let answer = PaymentAnswer(try await provider(call).queryPayment(query), for: order)
            guard answer.report == .pending, expired else { return answer }
            let close = PaymentClosePaymentRequest.with { $0.number = number }
            let closed = try await provider(call).closePayment(
                close, CallOptions(idempotencyKey: try StepKey.of(number, "close")))
            return PaymentAnswer(closed, for: order)
        } catch let error as PluginError where error.code == .notFound && error.reason == "payment.unknown" {
            return PaymentAnswer(.notFound)
        } catch {
            // Asked again later: a question that failed says nothing about the payment.
            host.log.debug("a payment provider was asked in vain", ["order.id": order.id, "error": "\(error)"])
            return PaymentAnswer(.noAnswer)
        }
    }
}

extension PluginError {
    /// Whether the other end, or the host before it, has spoken: a time-out or a cancelled call has not.
    var isDefinite: Bool {
        switch code {
        case .cancelled, .deadlineExceeded, .unknown, .internal, .dataLoss: false
        default: true
        }
    }
}

extension LedgerPosting {
    static func posting(_ account: String, _ amount: Int64, _ currency: String) -> LedgerPosting {
        .with {
            $0.account = account
            $0.amount = amount
            $0.currency = currency
        }
    }
}
