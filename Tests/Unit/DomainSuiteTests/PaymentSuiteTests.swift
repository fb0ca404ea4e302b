// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePluginTesting

struct PaymentSuiteTests {
    private static let breaches: [Breach<PaymentFault>] = [
        Breach(.changesTheAmount, "aPaymentIsAsAsked", "100 was asked for and 99 CNY made"),
        Breach(.namesNoNumber, "aPaymentIsAsAsked", "The payment has the number"),
        Breach(.answersQueriesOtherwise, "aPaymentIsAsAsked", "another than was made"),
        Breach(.makesTwo, "theNumberIsTheIdempotencyKey", "One number made two payments"),
        Breach(.takesAnotherAmount, "theNumberIsTheIdempotencyKey", "One number for another amount succeeded"),
        Breach(.takesAnotherAmountAndRefuses, "theNumberIsTheIdempotencyKey", "made the payment one of 101"),
        Breach(.makesTwoAtOnce, "oneNumberAskedForAtOnceMakesOnePayment", "payments at once"),
        Breach(.takesNothing, "aPaymentOfNothingIsRefused", "A payment of 0 succeeded"),
        Breach(.takesLessThanNothing, "aPaymentOfNothingIsRefused", "A payment of -100 succeeded"),
        Breach(.knowsTheUnknown, "anUnknownPaymentIsNotFound", "A payment that there is not succeeded"),
        Breach(.namesTheUnknownOtherwise, "anUnknownPaymentIsNotFound", "not NOT_FOUND payment.unknown"),
        Breach(.closesInWordsOnly, "aClosedPaymentIsNeverPaid", "A closed payment was paid"),
        Breach(.closesWhatIsPaid, "aPaidPaymentIsNotClosed", "Closing what is paid succeeded"),
        Breach(.refundsTheUnpaid, "refundsStayWithinThePayment", "A refund of what is not paid succeeded"),
        Breach(.refundsTwice, "refundsStayWithinThePayment", "payment.refund_exceeds"),
        Breach(.refundsAnotherAmount, "refundsStayWithinThePayment", "One refund number for another amount succeeded"),
        Breach(.refundsTooMuch, "refundsStayWithinThePayment", "A refund beyond the payment succeeded"),
        Breach(.keepsTheRest, "refundsStayWithinThePayment", "payment.refund_exceeds"),
        Breach(
            .refundsTooMuchAtOnce, "refundsAskedForAtOnceStayWithinThePayment", "of a payment of 100 was given back"),
        Breach(.findsNoRefund, "aRefundIsFoundByItsNumber", "another than was made"),
        Breach(.findsAnyRefund, "aRefundIsFoundByItsNumber", "A refund that there is not succeeded"),
        Breach(.takesForgeries, "aNotificationIsProvedAndAForgedOneIsNot", "A forged notification succeeded"),
        Breach(.takesWhatIsEmpty, "aNotificationIsProvedAndAForgedOneIsNot", "An empty notification succeeded"),
        Breach(.acknowledgesRefusals, "aNotificationIsProvedAndAForgedOneIsNot", "Refusing is status 200"),
        Breach(.namesReplaysAnew, "aNotificationIsProvedAndAForgedOneIsNot", "another id"),
        Breach(.tellsAnotherAmount, "aNotificationIsProvedAndAForgedOneIsNot", "tells of 101"),
        Breach(.tellsNoID, "aNotificationIsProvedAndAForgedOneIsNot", "no id to know replays by"),
        Breach(.deniesWhatItLost, "theEffectOfAnErrorIsTrue", "answerLost: the payment was made"),
        Breach(.losesWhatItMade, "theEffectOfAnErrorIsTrue", "A lost payment cannot be found again"),
    ]

    @Test(arguments: PaymentSuite.cases) func aSoundProviderPasses(_ rule: SuiteCase<PaymentSubject>) async throws {
        try await rule.run(FaultyPayment(nil).subject)
    }

    @Test(arguments: breaches) func aBreachIsNoticed(_ breach: Breach<PaymentFault>) async throws {
        try await breach.isNoticed(by: PaymentSuite.cases, FaultyPayment(breach.fault).subject)
    }
}
