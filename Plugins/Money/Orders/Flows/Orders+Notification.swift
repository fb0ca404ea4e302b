// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What providers tell: believed once proved, compared, and acknowledged only when the ledger has it.
extension Orders {
    func handle(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        let name = request.pathParameters.first { $0.name == "provider" }?.value ?? ""
        guard request.method == "POST", name == configuration.provider else { throw OrdersError.provider() }
        let told: PaymentVerifyNotificationResponse
        do {
            told = try await provider(call).verifyNotification(.with { $0.request = request })
        } catch let error as PluginError where error.code == .unauthenticated {
            try await record(.unverified, detail: error.reason, call)
            return .with {
                $0.status = 401
                $0.contentType = "text/plain"
                $0.body = Data("UNVERIFIED".utf8)
            }
        }
        do {
            switch told.subject {
            case .payment(let payment): return try await take(payment, told, call)
            case .refund(let refund): return try await take(refund, told, call)
            case nil: return told.refuse
            }
        } catch {
            // Not acknowledged: the provider tells it again, and the timer asks.
            host.log.warning(
                "a notification waits to be told again",
                ["notification.id": told.notificationID, "error": "\(error)"])
            return told.refuse
        }
    }

    private func take(_ payment: PaymentPayment, _ told: PaymentVerifyNotificationResponse, _ call: Call) async throws
        -> HTTPResponse
    {
        let orderID = try await database(call).write { tx -> String? in
            let store = OrdersStore(tx: tx)
            guard let attempt = try await store.attempt(payment.number),
                let order = try await store.order(attempt.orderID)
            else {
                try await store.record(notice(.unknownNumber, told.notificationID, payment.number))
                return nil
            }
            let answer = PaymentAnswer(payment, for: order)
            let step = try await apply(answer, to: attempt.number, about: told.notificationID, in: store)
            return answer.mismatch.isEmpty && step != .conflict ? order.id : nil
        }
        guard let orderID else { return told.refuse }
        try await fulfil(orderID, call)
        return told.acknowledge
    }

    private func take(_ told: PaymentRefund, _ notification: PaymentVerifyNotificationResponse, _ call: Call)
        async throws
        -> HTTPResponse
    {
        let isKnown = try await database(call).write { tx in
            let store = OrdersStore(tx: tx)
            guard var refund = try await store.refund(told.refundNumber),
                let order = try await store.order(refund.orderID)
            else {
                try await store.record(notice(.unknownNumber, notification.notificationID, told.refundNumber))
                return false
            }
            guard told.amount.amount == refund.amount, told.amount.currency == order.currency else {
                try await store.record(notice(.mismatch, notification.notificationID, told.refundNumber))
                return false
            }
            if refund.machine.report(RefundReport(told)) {
                try await store.save(refund)
                try await store.record(notice(.applied, notification.notificationID, told.refundNumber))
            }
            return true
        }
        guard isKnown else { return notification.refuse }
        try await drive(told.refundNumber, call)
        return notification.acknowledge
    }

    private func notice(_ outcome: OrdersNotice.Outcome, _ id: String, _ number: String) -> OrdersNotice {
        OrdersNotice(
            at: host.now, provider: configuration.provider, id: id, number: String(number.prefix(64)), outcome: outcome)
    }

    private func record(_ outcome: OrdersNotice.Outcome, detail: String, _ call: Call) async throws {
        let notice = OrdersNotice(at: host.now, provider: configuration.provider, outcome: outcome, detail: detail)
        try await database(call).write { tx in try await OrdersStore(tx: tx).record(notice) }
    }
}
