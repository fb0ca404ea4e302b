// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// A payment provider for development. Payments are kept, paid by a timer, and told of by signed HTTP.
struct PaymentSimulator: Plugin, PaymentProviderContract, HostTargetContract {
    static var operations: [TheatrePlugin.Operation<PaymentSimulator>] {
        paymentProviderOperations + hostTargetOperations
    }

    let host: PluginHost
    let configuration: PaymentSimulatorConfiguration

    init(_ host: PluginHost, _ configuration: PaymentSimulatorConfiguration) throws {
        guard host.environment.development else { throw PaymentSimulatorError.productionHost() }
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws {
        try await database(host).migrate(PaymentSimulatorStore.migrations)
    }

    func selfTest() async throws {
        let request = HostMacRequest.with {
            $0.key = "simulator"
            $0.data = Data("self test".utf8)
        }
        guard try await HostKeysClient(host).mac(request).mac.count == 32 else {
            throw PluginError(.internal, "simulator.key", "The key simulator gives no HMAC-SHA-256; check the grant.")
        }
    }

    func database(_ scope: some CallScope) -> Database { Database(scope, feature: "simulator.storage") }

    func schedule(_ name: String, at time: Int64, _ call: Call) async throws {
        let request = HostScheduleRequest.with {
            $0.name = name
            $0.at = time
        }
        _ = try await HostTimersClient(call).schedule(request)
    }

    // MARK: Payments

    func createPayment(_ request: PaymentCreatePaymentRequest, _ call: Call) async throws -> PaymentPayment {
        let now = host.now
        let asked = try SimulatedPayment(request, publicURL: host.environment.publicURL, at: now)
        let payment = try await database(call).write { tx in
            if let row = try await tx.run(PaymentSimulatorStore.payment, asked.number).first {
                let known = try PaymentSimulatorStore.payment(row)
                guard known.digest == asked.digest else { throw PaymentSimulatorError.numberReused() }
                return known
            }
            try await PaymentSimulatorStore.insert(asked, in: tx)
            return asked
        }
        if payment.status == .pending {
            let due = now + configuration.delay + payment.fault.payingDelay
            try await schedule("pay:\(payment.number)", at: due, call)
        }
        if payment.fault == .unknown { throw PaymentSimulatorError.noAnswer() }
        return payment.message
    }

    func queryPayment(_ request: PaymentQueryPaymentRequest, _ call: Call) async throws -> PaymentPayment {
        let rows = try await database(call).read(PaymentSimulatorStore.payment, request.number)
        guard let row = rows.first else { throw PaymentSimulatorError.unknownPayment() }
        return try PaymentSimulatorStore.payment(row).message
    }

    func closePayment(_ request: PaymentClosePaymentRequest, _ call: Call) async throws -> PaymentPayment {
        try await database(call).write { tx in
            guard let row = try await tx.run(PaymentSimulatorStore.payment, request.number).first else {
                throw PaymentSimulatorError.unknownPayment()
            }
            var payment = try PaymentSimulatorStore.payment(row)
            if payment.status == .succeeded { throw PaymentSimulatorError.paid() }
            if payment.status == .pending {
                payment.status = .closed
                try await PaymentSimulatorStore.update(payment, in: tx)
            }
            return payment.message
        }
    }

    // MARK: Refunds

    func createRefund(_ request: PaymentCreateRefundRequest, _ call: Call) async throws -> PaymentRefund {
        let now = host.now
        let asked = try SimulatedRefund(request, at: now)
        let (refund, fault) = try await database(call).write { tx in
            guard let row = try await tx.run(PaymentSimulatorStore.payment, asked.paymentNumber).first else {
                throw PaymentSimulatorError.unknownPayment()
            }
            let payment = try PaymentSimulatorStore.payment(row)
            if let row = try await tx.run(PaymentSimulatorStore.refund, asked.number).first {
                let known = try PaymentSimulatorStore.refund(row)
                guard known.digest == asked.digest else { throw PaymentSimulatorError.numberReused() }
                return (known, payment.fault)
            }
            guard payment.status == .succeeded else { throw PaymentSimulatorError.notPaid() }
            guard request.total.amount == payment.amount, request.total.currency == payment.currency,
                asked.currency == payment.currency
            else { throw PaymentSimulatorError.field("/total", "what was paid, in the same currency") }
            let given = try await tx.run(
                """
                SELECT COALESCE(SUM(amount), 0) AS given FROM {refunds}
                WHERE tenant = :tenant AND payment_number = ?1 AND status <> 'FAILED'
                """, asked.paymentNumber)
            let before = try given.first?.int("given") ?? 0
            guard asked.amount <= payment.amount - before else { throw PaymentSimulatorError.tooMuch() }
            try await PaymentSimulatorStore.insert(asked, in: tx)
            return (asked, payment.fault)
        }
        if refund.status == .pending {
            try await schedule("refund:\(refund.number)", at: now + configuration.delay, call)
        }
        if fault == .refundUnknown { throw PaymentSimulatorError.noAnswer() }
        return refund.message
    }

    func queryRefund(_ request: PaymentQueryRefundRequest, _ call: Call) async throws -> PaymentRefund {
        let rows = try await database(call).read(PaymentSimulatorStore.refund, request.refundNumber)
        guard let row = rows.first else { throw PaymentSimulatorError.unknownRefund() }
        return try PaymentSimulatorStore.refund(row).message
    }

    // MARK: Notifications

    func verifyNotification(_ request: PaymentVerifyNotificationRequest, _ call: Call) async throws
        -> PaymentVerifyNotificationResponse
    {
        try await Signature.verify(request.request, at: host.now, call)
        do {
            return try JSONDecoder().decode(NoticeBody.self, from: request.request.body).response()
        } catch is DecodingError {
            throw PaymentSimulatorError.badSignature("the body is not one of its notifications")
        }
    }
}
