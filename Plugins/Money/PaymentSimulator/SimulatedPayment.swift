// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Where a payment or a refund stands at the simulator.
enum SimulatedStatus: String, Codable, Sendable {
    case pending = "PENDING"
    case succeeded = "SUCCEEDED"
    case failed = "FAILED"
    case closed = "CLOSED"
}

/// A payment as the simulator keeps it.
struct SimulatedPayment: Sendable {
    var number: String
    var reference: String
    var amount: Int64
    var currency: String
    var notifyURL: String
    var fault: Fault
    var status: SimulatedStatus
    var failure: String
    var paidAt: Int64
    var expiresAt: Int64
    var digest: [UInt8]

    /// The payer pays, or the bank declines; false where it is over already.
    mutating func settle(at now: Int64) -> Bool {
        guard status == .pending else { return false }
        if expiresAt != 0, expiresAt <= now {
            status = .closed
        } else if fault == .fail {
            status = .failed
            failure = "simulator.declined"
        } else {
            status = .succeeded
            paidAt = now
        }
        return true
    }

    var message: PaymentPayment {
        .with {
            $0.number = number
            $0.providerReference = reference
            $0.amount.amount = amount
            $0.amount.currency = currency
            $0.status =
                switch status {
                case .pending: .pending
                case .succeeded: .succeeded
                case .failed: .failed
                case .closed: .closed
                }
            $0.clientAction = status == .pending ? "simulator://pay/\(number)" : ""
            $0.paidAt = paidAt
            $0.failure = failure
        }
    }
}

/// A refund as the simulator keeps it.
struct SimulatedRefund: Sendable {
    var number: String
    var paymentNumber: String
    var reference: String
    var amount: Int64
    var currency: String
    var status: SimulatedStatus
    var digest: [UInt8]

    var message: PaymentRefund {
        .with {
            $0.refundNumber = number
            $0.providerReference = reference
            $0.amount.amount = amount
            $0.amount.currency = currency
            $0.status =
                switch status {
                case .pending: .pending
                case .succeeded: .succeeded
                case .failed, .closed: .failed
                }
        }
    }
}
