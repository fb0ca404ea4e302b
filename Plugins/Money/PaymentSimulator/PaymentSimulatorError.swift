// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the simulator refuses a call.
enum PaymentSimulatorError {
    static func productionHost() -> PluginError {
        PluginError(
            .failedPrecondition, "simulator.development_only",
            "The payment simulator runs in development only; disable the instance or set development: true.")
    }

    static func field(_ pointer: String, _ rule: String) -> PluginError {
        .invalid(pointer, "payment.bad_request", "The field must be \(rule).")
    }

    static func numberReused() -> PluginError {
        PluginError(
            .alreadyExists, "payment.number_reused", "The number stands for something else; use a number of its own.")
    }

    static func unknownPayment() -> PluginError { .notFound("payment.unknown", "No payment has this number.") }

    static func unknownRefund() -> PluginError { .notFound("payment.unknown_refund", "No refund has this number.") }

    static func paid() -> PluginError {
        PluginError(.failedPrecondition, "payment.paid", "The payment is paid; refund it instead.")
    }

    static func notPaid() -> PluginError {
        PluginError(.failedPrecondition, "payment.not_paid", "The payment is not paid; there is nothing to give back.")
    }

    static func tooMuch() -> PluginError {
        PluginError(
            .failedPrecondition, "payment.refund_exceeds", "The refunds would exceed what was paid; ask for less.")
    }

    /// What a provider is like whose answer got lost.
    static func noAnswer() -> PluginError {
        PluginError(
            .deadlineExceeded, "payment.no_answer", "The provider did not answer in time; ask it with the same number.",
            effect: .unknown)
    }

    static func badSignature(_ why: String) -> PluginError {
        PluginError(.unauthenticated, "payment.bad_signature", "The notification is not the provider's: \(why).")
    }

    static func broken(_ what: String) -> PluginError {
        PluginError(
            .dataLoss, "simulator.broken_row", "A stored \(what) cannot be read; remove the simulator's tables.")
    }
}
