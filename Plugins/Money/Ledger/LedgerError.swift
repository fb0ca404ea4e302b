// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the ledger refuses a call.
enum LedgerError {
    static func account(_ pointer: String) -> PluginError {
        .invalid(pointer, "ledger.bad_account", "An account is owner:id:CURRENCY, such as user:usr_1:CHIP.")
    }

    static func currency(_ pointer: String) -> PluginError {
        .invalid(pointer, "ledger.currency", "The currency is not that of the account; its last part must agree.")
    }

    static func amount(_ pointer: String, _ rule: String) -> PluginError {
        .invalid(pointer, "ledger.bad_amount", "The amount must be \(rule).")
    }

    static func key(_ pointer: String) -> PluginError {
        .invalid(pointer, "ledger.bad_key", "A key is 1 to 200 bytes and does not begin with hold/.")
    }

    static func unbalanced(_ currency: String) -> PluginError {
        .invalid("/postings", "ledger.unbalanced", "The postings in \(currency) do not sum to zero; balance the entry.")
    }

    static func count() -> PluginError {
        .invalid("/postings", "ledger.count", "An entry has 2 to 100 postings.")
    }

    static func text(_ pointer: String) -> PluginError {
        .invalid(pointer, "ledger.too_long", "The text is longer than 500 bytes; shorten it.")
    }

    static func expiry() -> PluginError {
        .invalid("/expires_at", "ledger.bad_expiry", "The hold would end before it begins; give a time to come.")
    }

    static func overflow() -> PluginError {
        PluginError(.outOfRange, "ledger.overflow", "The balance would be too large to be kept; split the amount.")
    }

    static func insufficient(_ account: String) -> PluginError {
        PluginError(
            .failedPrecondition, "ledger.insufficient_funds",
            "Account \(account) has less available than is asked for; use a smaller amount.")
    }

    static func keyReused() -> PluginError {
        PluginError(.alreadyExists, "ledger.key_reused", "The key stands for something else; use a key of its own.")
    }

    static func noEntry() -> PluginError { .notFound("ledger.no_entry", "No entry was posted under this key.") }

    static func noHold() -> PluginError { .notFound("ledger.no_hold", "There is no hold under this key.") }

    static func ended(_ phase: HoldPhase) -> PluginError {
        PluginError(
            .failedPrecondition, "ledger.hold_\(phase.rawValue)",
            "The hold is \(phase.rawValue) already; make a new one.")
    }

    static func noPrincipal() -> PluginError {
        PluginError(.unauthenticated, "ledger.no_principal", "A wallet belongs to a person; sign in.")
    }

    static func broken(_ what: String) -> PluginError {
        PluginError(.dataLoss, "ledger.broken_row", "A stored \(what) cannot be read; run the proof of the books.")
    }
}
