// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What a payment provider may do wrong.
enum PaymentFault: Sendable {
    case changesTheAmount, namesNoNumber, answersQueriesOtherwise
    case makesTwo, takesAnotherAmount, takesAnotherAmountAndRefuses, makesTwoAtOnce, takesNothing, takesLessThanNothing
    case knowsTheUnknown, namesTheUnknownOtherwise
    case closesInWordsOnly, closesWhatIsPaid
    case refundsTheUnpaid, refundsTwice, refundsAnotherAmount, refundsTooMuch, keepsTheRest, refundsTooMuchAtOnce
    case findsNoRefund, findsAnyRefund
    case takesForgeries, takesWhatIsEmpty, acknowledgesRefusals, namesReplaysAnew, tellsAnotherAmount, tellsNoID
    case deniesWhatItLost, losesWhatItMade
}

/// Payments in memory, which are their own emulator, with a fault or none.
struct FaultyPayment {
    let host = TestHost()
    private let fault: PaymentFault?
    private let store = Shared(Store())

    struct Store {
        var payments: [String: PaymentPayment] = [:]
        var refunds: [String: (refund: PaymentRefund, payment: String)] = [:]
        var notifications: [HTTPRequest] = []
        var next = 0
        var isLost = false
        /// Requests that looked and have not done anything yet.
        var waiting = 0

        mutating func number(_ prefix: String) -> String {
            next += 1
            return "\(prefix)_\(next)"
        }
    }

    init(_ fault: PaymentFault?) {
        self.fault = fault
        let maker = PaymentMaker(fault: fault, store: store)
        host.fake("pay", "CreatePayment") { (request: PaymentCreatePaymentRequest, _) in try await maker.create(request)
        }
        host.fake("pay", "QueryPayment") { (request: PaymentQueryPaymentRequest, _) in try maker.query(request.number) }
        host.fake("pay", "ClosePayment") { (request: PaymentClosePaymentRequest, _) in try maker.close(request.number) }
        host.fake("pay", "CreateRefund") { (request: PaymentCreateRefundRequest, _) in try await maker.refund(request) }
        host.fake("pay", "QueryRefund") { (request: PaymentQueryRefundRequest, _) in
            try maker.refund(numbered: request.refundNumber)
        }
        host.fake("pay", "VerifyNotification") { (request: PaymentVerifyNotificationRequest, _) in
            try maker.verify(request.request)
        }
    }

    var subject: PaymentSubject {
        PaymentSubject(
            client: PaymentProviderClient(host.scope(), feature: "pay"), notifyURL: "http://127.0.0.1/notify",
            settle: { [store] in store.with { $0.settle() } },
            notifications: { [store] in store.with { $0.notifications } },
            known: { [store] in store.with { Set($0.payments.keys) } },
            disturb: { [store] disturbance in
                store.with { $0.isLost = disturbance == .answerLost }
                return disturbance == .answerLost
            })
    }
}

extension FaultyPayment.Store {
    /// All that waits is paid, and told.
    mutating func settle() {
        for (number, payment) in payments where payment.status == .pending {
            payments[number]?.status = .succeeded
            let id = self.number("ntf")
            notifications.append(
                .with {
                    $0.method = "POST"
                    $0.body = Data("\(id) \(number)".utf8)
                    $0.headers = [
                        .with {
                            $0.name = "signature"
                            $0.value = PaymentMaker.signature(Data("\(id) \(number)".utf8))
                        }
                    ]
                })
        }
    }
}
