// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// A notification on its way to the merchant.
struct Notice: Sendable {
    /// Stable over attempts and duplicates.
    var id: String
    var notifyURL: String
    /// The JSON that is sent and signed.
    var body: String
    /// How many deliveries with a wrong signature come first.
    var forges: Int64
    /// How often it is to be taken.
    var deliveries: Int64
    /// How often it was.
    var delivered: Int64
    /// How often it was sent with the right signature.
    var attempts: Int64
    var dueAt: Int64

    /// Attempts before it is given up.
    static let mostAttempts: Int64 = 8

    /// Nothing is left to do.
    var isOver: Bool { delivered >= deliveries || attempts >= Self.mostAttempts + deliveries - 1 }

    /// What the merchant answered to the last attempt; the wait until the next, nil for none.
    mutating func answered(taken: Bool, retries: [Int64]) -> Int64? {
        attempts += 1
        if taken { delivered += 1 }
        guard !isOver else { return nil }
        if taken { return 1 }
        let place = Int(clamping: attempts - delivered - 1)
        return retries[min(max(place, 0), retries.count - 1)]
    }
}

/// What a notification says.
struct NoticeBody: Codable, Sendable {
    /// The notification's.
    var id: String
    /// `payment` or `refund`.
    var kind: String
    var number: String
    var reference: String
    var status: SimulatedStatus
    var amount: Int64
    var currency: String
    var paidAt: Int64
    var failure: String

    enum CodingKeys: String, CodingKey {
        case id, kind, number, reference, status, amount, currency, failure
        case paidAt = "paid_at"
    }

    static func payment(_ payment: SimulatedPayment, id: String) -> NoticeBody {
        let altered = payment.fault == .alterAmount ? payment.amount + 1 : payment.amount
        return NoticeBody(
            id: id, kind: "payment", number: payment.number, reference: payment.reference, status: payment.status,
            amount: altered, currency: payment.currency, paidAt: payment.paidAt, failure: payment.failure)
    }

    static func refund(_ refund: SimulatedRefund, id: String) -> NoticeBody {
        NoticeBody(
            id: id, kind: "refund", number: refund.number, reference: refund.reference, status: refund.status,
            amount: refund.amount, currency: refund.currency, paidAt: 0, failure: "")
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// What is proved, for the merchant.
    func response() -> PaymentVerifyNotificationResponse {
        var response = PaymentVerifyNotificationResponse()
        response.notificationID = id
        if kind == "refund" {
            response.refund =
                SimulatedRefund(
                    number: number, paymentNumber: "", reference: reference, amount: amount, currency: currency,
                    status: status, digest: []
                ).message
        } else {
            response.payment =
                SimulatedPayment(
                    number: number, reference: reference, amount: amount, currency: currency, notifyURL: "",
                    fault: .none,
                    status: status, failure: failure, paidAt: paidAt, expiresAt: 0, digest: []
                ).message
        }
        response.acknowledge = Self.answer(200, "OK")
        response.refuse = Self.answer(500, "RETRY")
        return response
    }

    private static func answer(_ status: UInt32, _ text: String) -> HTTPResponse {
        .with {
            $0.status = status
            $0.contentType = "text/plain"
            $0.body = Data(text.utf8)
        }
    }
}
