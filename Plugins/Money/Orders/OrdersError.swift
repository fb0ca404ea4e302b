// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why orders refuse a call.
enum OrdersError {
    static func notFound() -> PluginError { .notFound("orders.not_found", "You have no order of this id.") }

    static func noPrincipal() -> PluginError {
        PluginError(.unauthenticated, "orders.no_principal", "An order belongs to a person; sign in.")
    }

    static func chips() -> PluginError {
        .invalid("/chips", "orders.chips", "1 to 1,000,000 chips may be ordered at once.")
    }

    static func currency(_ known: [String]) -> PluginError {
        .invalid(
            "/currency", "orders.currency",
            "Chips are not sold in this currency; pay in \(known.joined(separator: " or ")).")
    }

    static func fault() -> PluginError {
        .invalid("/fault", "orders.fault", "Faults are simulated in development only; leave the field out.")
    }

    static func paymentLive() -> PluginError {
        PluginError(
            .failedPrecondition, "orders.payment_live",
            "A payment of this order is under way; wait until its end is known, within some minutes.",
            retry: .after(milliseconds: 10_000))
    }

    static func notPayable(_ status: OrderPhase) -> PluginError {
        PluginError(.failedPrecondition, "orders.not_payable", "The order is \(status.rawValue); it needs no payment.")
    }

    static func notRefundable(_ status: OrderPhase) -> PluginError {
        PluginError(
            .failedPrecondition, "orders.not_refundable",
            "The order is \(status.rawValue); there is nothing to give back.")
    }

    static func refundLive() -> PluginError {
        PluginError(
            .failedPrecondition, "orders.refund_live", "A refund of this order is under way; wait until it has ended.",
            retry: .after(milliseconds: 10_000))
    }

    static func refundTooMuch() -> PluginError {
        .invalid(
            "/amount", "orders.refund_exceeds", "The refund must be more than 0 and at most what is not yet given back."
        )
    }

    static func keyReused() -> PluginError {
        PluginError(
            .alreadyExists, "orders.key_reused", "The key began a refund of another amount; use a key of its own.")
    }

    static func insufficientChips() -> PluginError {
        PluginError(
            .failedPrecondition, "orders.insufficient_chips",
            "The chips of this refund have been spent; ask for a smaller refund.")
    }

    static func overflow() -> PluginError {
        PluginError(.outOfRange, "orders.overflow", "The price would be too large to be kept; order fewer chips.")
    }

    static func provider() -> PluginError {
        .notFound("orders.unknown_provider", "No payment provider of this name notifies here.")
    }

    static func broken(_ what: String) -> PluginError {
        PluginError(.dataLoss, "orders.broken_row", "A stored \(what) cannot be read; restore it from a backup.")
    }
}
