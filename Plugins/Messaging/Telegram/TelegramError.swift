// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why a message was not sent. Texts of the server are repeated; they hold no secret.
enum TelegramError {
    static var noChat: PluginError {
        .invalid(
            "/address", "notification.bad_address",
            "The message names no chat and the instance has none; give a number, @channel, or set chat_id.")
    }

    static var empty: PluginError {
        .invalid("/body", "notification.missing", "The message has neither a title nor a body.")
    }

    static var expired: PluginError {
        PluginError(
            .failedPrecondition, "notification.expired",
            "The message's valid_until has passed; it is not worth delivering any more.", detail: "/valid_until")
    }

    static func throttled(milliseconds: UInt64) -> PluginError {
        PluginError(
            .unavailable, "notification.throttled", "Telegram takes no more messages now; send it again later.",
            retry: .after(milliseconds: milliseconds))
    }

    static func dead(_ text: String) -> PluginError {
        PluginError(
            .failedPrecondition, "notification.address_dead",
            "The chat cannot be written to: \(text). Drop the address.", detail: "/address")
    }

    static func misconfigured(_ text: String) -> PluginError {
        PluginError(
            .failedPrecondition, "notification.misconfigured",
            "The bot is refused: \(text). Look at bot_token, base_url and the grants.")
    }

    static func rejected(_ text: String) -> PluginError {
        PluginError(.failedPrecondition, "notification.rejected", "Telegram refuses the message: \(text).")
    }

    /// There is no idempotency key, so nobody may send it again unasked.
    static func uncertain(_ text: String) -> PluginError {
        PluginError(
            .unavailable, "notification.unconfirmed",
            "Whether the message was sent is not known: \(text). Sending it again may show it twice.",
            effect: .unknown)
    }

    /// An error of the host's egress.
    static func transport(_ error: PluginError) -> PluginError {
        if error.effect != .none { return uncertain(error.message) }
        return switch error.code {
        case .permissionDenied, .invalidArgument, .failedPrecondition, .notFound:
            misconfigured(error.message)
        case .cancelled: error
        default:
            PluginError(error.code, "notification.unreachable", error.message, effect: .none, retry: .safe)
        }
    }
}
