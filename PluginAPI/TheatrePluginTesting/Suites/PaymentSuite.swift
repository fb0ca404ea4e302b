// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// A provider of `theatre.payment.v1.Provider` in front of its emulator.
public struct PaymentSubject: Sendable {
    /// Calls of the provider.
    public var client: PaymentProviderClient
    /// Where the provider may notify.
    public var notifyURL: String
    /// A currency that it takes.
    public var currency: String
    /// Has the payer pay, or the payment fail: everything that is pending goes through.
    public var settle: @Sendable () async throws -> Void
    /// The notifications that the emulator sent so far, as they arrived.
    public var notifications: @Sendable () async throws -> [HTTPRequest]
    /// Sets up the emulator for its next request; false where it cannot do that.
    public var disturb: @Sendable (Disturbance) async throws -> Bool
    /// Last word on a request before it is sent, for simulators that misbehave as a request asks.
    public var edit: @Sendable (inout PaymentCreatePaymentRequest) -> Void
    /// Numbers of the payments that the emulator has, whatever the provider says.
    public var known: @Sendable () async throws -> Set<String>

    /// A provider to be tested.
    public init(
        client: PaymentProviderClient, notifyURL: String, currency: String = "CNY",
        settle: @escaping @Sendable () async throws -> Void,
        notifications: @escaping @Sendable () async throws -> [HTTPRequest],
        known: @escaping @Sendable () async throws -> Set<String>,
        disturb: @escaping @Sendable (Disturbance) async throws -> Bool = { _ in false },
        edit: @escaping @Sendable (inout PaymentCreatePaymentRequest) -> Void = { _ in }
    ) {
        self.client = client
        self.notifyURL = notifyURL
        self.currency = currency
        self.settle = settle
        self.notifications = notifications
        self.known = known
        self.edit = edit
        self.disturb = disturb
    }

    func create(_ number: String = "suite_000001", amount: Int64 = 100) async throws -> PaymentPayment {
        var request = PaymentCreatePaymentRequest()
        request.number = number
        request.amount.amount = amount
        request.amount.currency = currency
        request.description_p = "A draft"
        request.notifyURL = notifyURL
        request.channel = "native"
        edit(&request)
        return try await client.createPayment(request)
    }

    func query(_ number: String = "suite_000001") async throws -> PaymentPayment {
        try await client.queryPayment(.with { $0.number = number })
    }

    func refund(_ number: String, _ amount: Int64) async throws -> PaymentRefund {
        try await client.createRefund(
            .with {
                $0.paymentNumber = "suite_000001"
                $0.refundNumber = number
                $0.amount.amount = amount
                $0.amount.currency = currency
                $0.total.amount = 100
                $0.total.currency = currency
            })
    }

    /// What those gave that succeeded, of some requests that are made at the same time. One that only asks to be made
    /// again is: two transactions got in each other's way.
    func atOnce<T: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> T
    ) async throws -> [T] {
        try await withThrowingTaskGroup(of: T?.self) { group in
            for index in 0..<count {
                group.addTask {
                    for _ in 0..<20 {
                        do { return try await body(index) } catch let error as PluginError {
                            guard error.code == .aborted, error.retry != .never else { return nil }
                        }
                    }
                    return nil
                }
            }
            return try await group.reduce(into: []) { if let result = $1 { $0.append(result) } }
        }
    }
}

/// What every payment provider does.
public enum PaymentSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<PaymentSubject>] = [
        SuiteCase("aPaymentIsAsAsked") { subject in
            let payment = try await subject.create()
            try demand(payment.number == "suite_000001", "The payment has the number \(payment.number).")
            try demand(
                payment.amount.amount == 100 && payment.amount.currency == subject.currency,
                "100 was asked for and \(payment.amount.amount) \(payment.amount.currency) made.")
            try demand([.pending, .succeeded].contains(payment.status), "A new payment is \(payment.status).")
            try demand(try await subject.query() == payment, "Asked for, the payment is another than was made.")
        },
        SuiteCase("theNumberIsTheIdempotencyKey") { subject in
            let first = try await subject.create()
            try demand(
                try await subject.create().providerReference == first.providerReference, "One number made two payments."
            )
            let error = try await refusal("One number for another amount") { try await subject.create(amount: 101) }
            try demand(error.effect == .none, "\(error.reason) has effect \(error.effect).")
            let count = try await subject.known().count
            try demand(count == 1, "The emulator has \(count) payments.")
            let amount = try await subject.query().amount.amount
            try demand(amount == 100, "A number that was refused for 101 made the payment one of \(amount).")
        },
        SuiteCase("oneNumberAskedForAtOnceMakesOnePayment") { subject in
            let references = try await subject.atOnce(8) { _ in try await subject.create().providerReference }
            try demand(!references.isEmpty, "None of eight requests at once made the payment.")
            try demand(Set(references).count == 1, "One number made \(Set(references).count) payments at once.")
            let count = try await subject.known().count
            try demand(count == 1, "The emulator has \(count) payments.")
        },
        SuiteCase("aPaymentOfNothingIsRefused") { subject in
            for amount: Int64 in [0, -100] {
                let error = try await refusal("A payment of \(amount)") { try await subject.create(amount: amount) }
                try demand(
                    error.code == .invalidArgument && error.effect == .none,
                    "A payment of \(amount) is \(error.code) with effect \(error.effect), not INVALID_ARGUMENT with none."
                )
            }
            let count = try await subject.known().count
            try demand(count == 0, "A payment of nothing was made.")
        },
        SuiteCase("anUnknownPaymentIsNotFound") { subject in
            let error = try await refusal("A payment that there is not") { try await subject.query("suite_none") }
            try demand(
                error.code == .notFound && error.reason == "payment.unknown",
                "An unknown payment is \(error.code) \(error.reason), not NOT_FOUND payment.unknown.")
        },
        SuiteCase("aClosedPaymentIsNeverPaid") { subject in
            _ = try await subject.create()
            let closed = try await subject.client.closePayment(.with { $0.number = "suite_000001" })
            try demand(closed.status == .closed, "A closed payment is \(closed.status).")
            try await subject.settle()
            try demand(try await subject.query().status == .closed, "A closed payment was paid.")
        },
        SuiteCase("aPaidPaymentIsNotClosed") { subject in
            _ = try await subject.create()
            try await subject.settle()
            try demand(try await subject.query().status == .succeeded, "The payment was not paid.")
            let error = try await refusal("Closing what is paid") {
                try await subject.client.closePayment(.with { $0.number = "suite_000001" })
            }
            try demand(
                error.code == .failedPrecondition && error.reason == "payment.paid",
                "Closing what is paid is \(error.reason), not payment.paid.")
        },
        SuiteCase("refundsStayWithinThePayment") { subject in
            _ = try await subject.create()
            _ = try await refusal("A refund of what is not paid") { try await subject.refund("suite_r1", 10) }
            try await subject.settle()
            let refund = try await subject.refund("suite_r1", 60)
            try demand(refund.amount.amount == 60, "60 was given back as \(refund.amount.amount).")
            let again = try await subject.refund("suite_r1", 60)
            try demand(again.providerReference == refund.providerReference, "One refund number made two refunds.")
            let other = try await refusal("One refund number for another amount") {
                try await subject.refund("suite_r1", 30)
            }
            try demand(other.effect == .none, "\(other.reason) has effect \(other.effect).")
            let error = try await refusal("A refund beyond the payment") { try await subject.refund("suite_r2", 41) }
            try demand(error.effect == .none, "\(error.reason) has effect \(error.effect).")
            let rest = try await subject.refund("suite_r3", 40)
            try demand(rest.amount.amount == 40, "The rest of 40 was given back as \(rest.amount.amount).")
        },
        SuiteCase("refundsAskedForAtOnceStayWithinThePayment") { subject in
            _ = try await subject.create()
            try await subject.settle()
            let given = try await subject.atOnce(6) { try await subject.refund("suite_r\($0)", 30).amount.amount }
            let sum = given.reduce(0, +)
            try demand(sum <= 100, "\(sum) of a payment of 100 was given back, in \(given.count) refunds at once.")
        },
        SuiteCase("aRefundIsFoundByItsNumber") { subject in
            _ = try await subject.create()
            try await subject.settle()
            let made = try await subject.refund("suite_r1", 60)
            let found = try await subject.client.queryRefund(.with { $0.refundNumber = "suite_r1" })
            try demand(
                found.refundNumber == "suite_r1" && found.amount == made.amount
                    && found.providerReference == made.providerReference,
                "Asked for, the refund is another than was made.")
            let error = try await refusal("A refund that there is not") {
                try await subject.client.queryRefund(.with { $0.refundNumber = "suite_none" })
            }
            try demand(error.code == .notFound, "An unknown refund is \(error.code), not NOT_FOUND.")
        },
        SuiteCase("aNotificationIsProvedAndAForgedOneIsNot") { subject in
            _ = try await subject.create()
            try await subject.settle()
            guard let sent = try await subject.notifications().first else { return }
            let told = try await subject.client.verifyNotification(.with { $0.request = sent })
            try demand(told.payment.number == "suite_000001", "The notification is of \(told.payment.number).")
            try demand(
                told.payment.status == .succeeded && told.payment.amount.amount == 100,
                "The notification tells of \(told.payment.amount.amount), \(told.payment.status); 100 was paid.")
            try demand(!told.notificationID.isEmpty, "The notification has no id to know replays by.")
            let replayed = try await subject.client.verifyNotification(.with { $0.request = sent })
            try demand(
                replayed.notificationID == told.notificationID, "Replayed, the notification has another id.")
            try demand(
                (200..<300).contains(Int(told.acknowledge.status)),
                "Acknowledging is status \(told.acknowledge.status).")
            try demand(!(200..<300).contains(Int(told.refuse.status)), "Refusing is status \(told.refuse.status).")
            var altered = sent
            altered.body.append(0x20)
            for (forged, what) in [(altered, "A forged notification"), (HTTPRequest(), "An empty notification")] {
                let error = try await refusal(what) {
                    try await subject.client.verifyNotification(.with { $0.request = forged })
                }
                try demand(
                    error.code == .unauthenticated && error.reason == "payment.bad_signature",
                    "\(what) is \(error.reason), not payment.bad_signature.")
            }
        },
        SuiteCase("theEffectOfAnErrorIsTrue") { subject in
            for (index, disturbance) in Disturbance.allCases.enumerated() {
                guard try await subject.disturb(disturbance) else { continue }
                let number = "suite_lost_\(index)"
                do {
                    _ = try await subject.create(number)
                } catch let error as PluginError {
                    let isThere = try await subject.known().contains(number)
                    try demand(
                        !(isThere && error.effect == .none),
                        "\(disturbance): the payment was made; \(error.reason) says that nothing happened.")
                    guard isThere else { continue }
                    let found = try await success("A lost payment cannot be found again") {
                        try await subject.query(number)
                    }
                    try demand(found.number == number, "A lost payment is found as \(found.number).")
                }
            }
        },
    ]
}
