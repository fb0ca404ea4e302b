// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why a message was not delivered.
enum WebhookError {
    static var noURL: PluginError {
        .invalid(
            "/address", "notification.bad_address",
            "The message's address is no http or https URL and the instance has none; give one, or set url.")
    }

    static func missing(_ pointer: String) -> PluginError {
        .invalid(pointer, "notification.missing", "A webhook needs \(pointer.dropFirst()); set it.")
    }

    static var badCategory: PluginError {
        .invalid(
            "/category", "notification.bad_category",
            "The category is not dotted words of letters, digits and _, such as draft.finished.")
    }

    static var badData: PluginError {
        .invalid("/data", "notification.bad_data", "The data is not a JSON object; send one or leave it empty.")
    }

    static func tooLong(_ bytes: Int) -> PluginError {
        .invalid(
            "/body", "notification.too_long",
            "The payload has \(bytes) bytes; below \(WebhookPayload.longest) are allowed. Send a link instead.")
    }

    static var expired: PluginError {
        PluginError(
            .failedPrecondition, "notification.expired",
            "The message's valid_until has passed; it is not worth delivering any more.", detail: "/valid_until")
    }

    static func throttled(_ status: UInt32, milliseconds: UInt64?) -> PluginError {
        PluginError(
            .unavailable, "notification.throttled", "The endpoint answered \(status); send it again later.",
            retry: .after(milliseconds: milliseconds ?? 5000))
    }

    static var dead: PluginError {
        PluginError(
            .failedPrecondition, "notification.address_dead",
            "The endpoint answered 410: it is gone. Drop the address.", detail: "/address")
    }

    static func rejected(_ status: UInt32) -> PluginError {
        let what = (300...399).contains(status) ? "redirects, which are not followed" : "refuses the message"
        return PluginError(
            .failedPrecondition, "notification.rejected", "The endpoint answered \(status): it \(what).")
    }

    /// The receiver keeps each id once, so the same message may be sent again.
    static func uncertain(_ text: String) -> PluginError {
        PluginError(
            .unavailable, "notification.unconfirmed", "Whether the message arrived is not known: \(text)",
            effect: .unknown, retry: .safe)
    }

    static func misconfigured(_ text: String) -> PluginError {
        PluginError(.failedPrecondition, "notification.misconfigured", text)
    }

    /// Whether another attempt may do better.
    static func mayPass(_ error: PluginError) -> Bool { error.retry != .never && error.code != .cancelled }

    /// An error of the host's egress.
    static func transport(_ error: PluginError) -> PluginError {
        if error.effect != .none { return uncertain(error.message) }
        return switch error.code {
        case .permissionDenied, .invalidArgument, .failedPrecondition, .notFound: misconfigured(error.message)
        case .cancelled: error
        default: PluginError(error.code, "notification.unreachable", error.message, effect: .none, retry: .safe)
        }
    }
}
