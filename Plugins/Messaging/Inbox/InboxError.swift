// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a call.
enum InboxError {
    static var expired: PluginError {
        PluginError(
            .failedPrecondition, "notification.expired",
            "The message's valid_until has passed; it is not worth delivering any more.", detail: "/valid_until")
    }

    static var stranger: PluginError {
        PluginError(.unauthenticated, "inbox.no_owner", "An inbox belongs to a person; sign in.")
    }

    static func missing(_ pointer: String) -> PluginError {
        .invalid(pointer, "notification.missing", "The inbox needs \(pointer.dropFirst()); set it.")
    }

    static func tooLong(_ pointer: String, _ most: Int, _ unit: String) -> PluginError {
        .invalid(pointer, "notification.too_long", "The \(pointer.dropFirst()) is longer than \(most) \(unit).")
    }

    static var severalLines: PluginError {
        .invalid("/title", "notification.bad_title", "The title has more than one line; put the rest into the body.")
    }

    static var badCategory: PluginError {
        .invalid(
            "/category", "notification.bad_category",
            "The category is not dotted lower-case words, such as draft.finished.")
    }

    static var badData: PluginError {
        .invalid("/data", "notification.bad_data", "The data is not a JSON object; send one or leave it empty.")
    }

    static func countOfIDs(_ count: Int) -> PluginError {
        .invalid("/ids", "inbox.count", "There are \(count) ids; 1 to 200 are taken in a call.")
    }
}
