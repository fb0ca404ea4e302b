// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// What the operations of `FaultyPayment` do.
struct PaymentMaker: Sendable {
    let fault: PaymentFault?
    let store: Shared<FaultyPayment.Store>

    static func signature(_ body: Data) -> String { "\(body.reduce(7) { $0 &* 31 &+ Int($1) })" }

    // MARK: payments

    func create(_ request: PaymentCreatePaymentRequest) async throws -> PaymentPayment {
        let least: Int64 = fault == .takesLessThanNothing ? -1000 : fault == .takesNothing ? 0 : 1
        guard request.amount.amount >= least, fault != .takesLessThanNothing || request.amount.amount != 0 else {
            throw PluginError(.invalidArgument, "payment.bad_request", "This is no amount.", detail: "/amount")
        }
        if fault == .makesTwoAtOnce, store.with({ $0.payments[request.number] == nil }) {
            // Looked, and made what was not there, without holding on to it in between.
            try await waitForOthers()
            return store.with { make(request, &$0) }
        }
        let (payment, isLost) = try store.with { store in
            guard let known = store.payments[request.number], fault != .makesTwo else {
                return (make(request, &store), store.isLost)
            }
            let isSame = known.amount == request.amount
            if !isSame, fault == .takesAnotherAmountAndRefuses {
                store.payments[request.number]?.amount = request.amount
            }
            guard isSame || fault == .takesAnotherAmount || fault == .changesTheAmount else {
                throw PluginError(.alreadyExists, "payment.number_reused", "The number is of another payment.")
            }
            return (known, store.isLost)
        }
        if isLost {
            store.with { $0.isLost = false }
            throw PluginError(
                .unavailable, "payment.no_answer", "There was no answer.",
                effect: fault == .deniesWhatItLost ? .none : .unknown)
        }
        return payment
    }

    /// Until four requests got as far as this one, or as long as anybody may take to make them.
    private func waitForOthers() async throws {
        store.with { $0.waiting += 1 }
        for _ in 0..<1000 where store.with({ $0.waiting }) < 4 { try await Task.sleep(for: .milliseconds(5)) }
    }

    private func make(_ request: PaymentCreatePaymentRequest, _ store: inout FaultyPayment.Store) -> PaymentPayment {
        let payment = PaymentPayment.with {
            $0.number = fault == .namesNoNumber ? "" : request.number
            $0.providerReference = store.number("ref")
            $0.status = .pending
            $0.amount = request.amount
            if fault == .changesTheAmount { $0.amount.amount -= 1 }
        }
        store.payments[request.number] = payment
        return payment
    }

    func query(_ number: String) throws -> PaymentPayment {
        let found = store.with { store in
            fault == .losesWhatItMade && store.isAbout(number) ? nil : store.payments[number]
        }
        guard var found else {
            if fault == .knowsTheUnknown { return .with { $0.number = number } }
            let reason = fault == .namesTheUnknownOtherwise ? "payment.nothing" : "payment.unknown"
            throw PluginError(.notFound, reason, "There is no such payment.")
        }
        if fault == .answersQueriesOtherwise { found.providerReference += "-q" }
        return found
    }

    func close(_ number: String) throws -> PaymentPayment {
        try store.with { store in
            guard var payment = store.payments[number] else {
                throw PluginError(.notFound, "payment.unknown", "There is no such payment.")
            }
            guard payment.status == .pending || fault == .closesWhatIsPaid else {
                throw PluginError(.failedPrecondition, "payment.paid", "It is paid.")
            }
            payment.status = .closed
            if fault != .closesInWordsOnly { store.payments[number] = payment }
            return payment
        }
    }

    // MARK: refunds

    func refund(_ request: PaymentCreateRefundRequest) async throws -> PaymentRefund {
        if fault == .refundsTooMuchAtOnce {
            // Looked at what was given back, and gave, without holding on to it in between.
            try store.with { try check(request, &$0) }
            try await waitForOthers()
            return store.with { give(request, &$0) }
        }
        return try store.with { store in
            if let known = store.refunds[request.refundNumber], fault != .refundsTwice {
                guard known.refund.amount == request.amount || fault == .refundsAnotherAmount else {
                    throw PluginError(.alreadyExists, "payment.number_reused", "The number is of another refund.")
                }
                return known.refund
            }
            try check(request, &store)
            return give(request, &store)
        }
    }

    private func check(_ request: PaymentCreateRefundRequest, _ store: inout FaultyPayment.Store) throws {
        guard let payment = store.payments[request.paymentNumber] else {
            throw PluginError(.notFound, "payment.unknown", "There is no such payment.")
        }
        guard payment.status == .succeeded || fault == .refundsTheUnpaid else {
            throw PluginError(.failedPrecondition, "payment.not_paid", "It is not paid.")
        }
        let given = store.refunds.values.filter { $0.payment == request.paymentNumber }
        let rest = payment.amount.amount - given.reduce(0) { $0 + $1.refund.amount.amount }
        guard request.amount.amount <= rest && (fault != .keepsTheRest || given.isEmpty) || fault == .refundsTooMuch
        else { throw PluginError(.failedPrecondition, "payment.refund_exceeds", "That is more than was paid.") }
    }

    private func give(_ request: PaymentCreateRefundRequest, _ store: inout FaultyPayment.Store) -> PaymentRefund {
        let refund = PaymentRefund.with {
            $0.refundNumber = request.refundNumber
            $0.providerReference = store.number("rfd")
            $0.status = .succeeded
            $0.amount = request.amount
        }
        store.refunds[request.refundNumber] = (refund, request.paymentNumber)
        return refund
    }

    func refund(numbered number: String) throws -> PaymentRefund {
        let found = store.with { store in fault == .findsNoRefund ? nil : store.refunds[number]?.refund }
        if let found { return found }
        if fault == .findsNoRefund || fault == .findsAnyRefund { return .with { $0.refundNumber = number } }
        throw PluginError(.notFound, "payment.unknown_refund", "There is no such refund.")
    }

    // MARK: notifications

    func verify(_ request: HTTPRequest) throws -> PaymentVerifyNotificationResponse {
        let isSigned = request.headers.contains { $0.value == Self.signature(request.body) }
        let isTaken =
            fault == .takesForgeries && !request.body.isEmpty || fault == .takesWhatIsEmpty && request.body.isEmpty
        guard isSigned || isTaken else {
            throw PluginError(.unauthenticated, "payment.bad_signature", "The signature is not the provider's.")
        }
        let words = String(decoding: request.body, as: UTF8.self).split(separator: " ").map(String.init)
        return store.with { store in
            PaymentVerifyNotificationResponse.with {
                $0.notificationID = fault == .tellsNoID ? "" : words.first ?? ""
                if fault == .namesReplaysAnew { $0.notificationID = store.number("ntf") }
                $0.payment = words.last.flatMap { store.payments[$0] } ?? PaymentPayment()
                if fault == .tellsAnotherAmount { $0.payment.amount.amount += 1 }
                $0.acknowledge.status = 200
                $0.refuse.status = fault == .acknowledgesRefusals ? 200 : 500
            }
        }
    }
}

extension FaultyPayment.Store {
    /// Whether the number is one whose answer was lost.
    func isAbout(_ number: String) -> Bool { number.hasPrefix("suite_lost") }
}
