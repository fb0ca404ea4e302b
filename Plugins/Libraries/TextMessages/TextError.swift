// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatrePlugin

/// Why a text message was not sent.
public enum TextError {
    /// The address is no number.
    public static var badAddress: PluginError {
        .invalid("/address", "notification.bad_address", "The address is no telephone number; write +8613800138000.")
    }

    /// The template wants what the message does not have.
    public static func missing(_ name: String) -> PluginError {
        .invalid("/data", "notification.missing", "The template needs \(name) in the message's data; send it.")
    }

    /// No template stands for the category.
    public static func noTemplate(_ category: String) -> PluginError {
        PluginError(
            .failedPrecondition, "notification.rejected",
            "No template is configured for category \(category); providers send no other text.", detail: "/category")
    }

    /// Too late.
    public static var expired: PluginError {
        PluginError(
            .failedPrecondition, "notification.expired",
            "The message's valid_until has passed; it is not worth delivering any more.", detail: "/valid_until")
    }

    /// The number takes no messages.
    public static func dead(_ code: String) -> PluginError {
        PluginError(
            .failedPrecondition, "notification.address_dead",
            "The number takes no messages: \(code). Drop the address.", detail: "/address")
    }

    /// Not now.
    public static func throttled(_ code: String, milliseconds: UInt64) -> PluginError {
        PluginError(
            .unavailable, "notification.throttled", "The provider takes no more messages now: \(code).",
            retry: .after(milliseconds: milliseconds))
    }

    /// We are wrong, or have not paid.
    public static func misconfigured(_ code: String) -> PluginError {
        PluginError(
            .failedPrecondition, "notification.misconfigured",
            "The provider refuses our account: \(code). Look at its console, the key and the grants.")
    }

    /// Never.
    public static func rejected(_ code: String) -> PluginError {
        PluginError(.failedPrecondition, "notification.rejected", "The provider refuses the message: \(code).")
    }

    /// It may have been sent, and each costs: nobody sends it again unasked.
    public static func uncertain(_ code: String) -> PluginError {
        PluginError(
            .unavailable, "notification.unconfirmed",
            "Whether the message was sent is not known: \(code). Sending it again may send it twice.",
            effect: .unknown)
    }

    /// An error of the host's egress.
    public static func transport(_ error: PluginError) -> PluginError {
        if error.effect != .none { return uncertain(error.message) }
        return switch error.code {
        case .permissionDenied, .invalidArgument, .failedPrecondition, .notFound: misconfigured(error.message)
        case .cancelled: error
        default: PluginError(error.code, "notification.unreachable", error.message, effect: .none, retry: .safe)
        }
    }
}
