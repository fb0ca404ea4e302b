// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension SimulatedPayment {
    /// Most it takes in one payment, minor units: as the manifest says.
    static let mostAmount: Int64 = 100_000_000

    /// A payment as it is asked for, or INVALID_ARGUMENT with the field at fault.
    init(_ request: PaymentCreatePaymentRequest, publicURL: String, at now: Int64) throws {
        guard (6...32).contains(request.number.utf8.count), request.number.utf8.allSatisfy(Self.isNumber) else {
            throw PaymentSimulatorError.field("/number", "6 to 32 letters, digits, underscores or hyphens")
        }
        guard (1...Self.mostAmount).contains(request.amount.amount) else {
            throw PaymentSimulatorError.field("/amount/amount", "1 to \(Self.mostAmount)")
        }
        guard ["CNY", "USD"].contains(request.amount.currency) else {
            throw PaymentSimulatorError.field("/amount/currency", "CNY or USD")
        }
        guard request.channel == "native" else { throw PaymentSimulatorError.field("/channel", "native") }
        guard let fault = Fault(rawValue: request.fault) else {
            throw PaymentSimulatorError.field(
                "/fault", Fault.allCases.dropFirst().map(\.rawValue).joined(separator: ", ") + " or empty")
        }
        // It reaches nothing beyond this deployment.
        guard request.notifyURL.hasPrefix("\(publicURL)/"), !request.notifyURL.contains("?") else {
            throw PaymentSimulatorError.field("/notify_url", "below \(publicURL), without a query")
        }
        self.init(
            number: request.number, reference: ULID.next(prefix: "sim", at: now), amount: request.amount.amount,
            currency: request.amount.currency,
            notifyURL: "http://self.theatre" + request.notifyURL.dropFirst(publicURL.count), fault: fault,
            status: .pending, failure: "", paidAt: 0, expiresAt: request.expiresAt,
            digest: Digest.sha256(try request.serializedBytes() as [UInt8]))
    }

    private static func isNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

extension SimulatedRefund {
    /// A refund as it is asked for, or INVALID_ARGUMENT with the field at fault.
    init(_ request: PaymentCreateRefundRequest, at now: Int64) throws {
        guard (1...64).contains(request.refundNumber.utf8.count) else {
            throw PaymentSimulatorError.field("/refund_number", "1 to 64 bytes")
        }
        guard request.amount.amount > 0 else { throw PaymentSimulatorError.field("/amount/amount", "more than 0") }
        self.init(
            number: request.refundNumber, paymentNumber: request.paymentNumber,
            reference: ULID.next(prefix: "sir", at: now), amount: request.amount.amount,
            currency: request.amount.currency, status: .pending,
            digest: Digest.sha256(try request.serializedBytes() as [UInt8]))
    }
}
