// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a call.
enum OfflineError {
    static func task(_ task: String, _ pointer: String) -> PluginError {
        let what = task.isEmpty ? "A response schema without a task" : "The task \"\(task.prefix(40))\""
        return .invalid(pointer, "content.task_unsupported", "\(what) is beyond the offline model; it knows the task outline.")
    }

    static func tooLong(_ pointer: String) -> PluginError {
        .invalid(pointer, "content.too_long", "The input is longer than 200,000 characters; send it in parts.")
    }

    static func tooManyTokens(_ pointer: String, _ most: Int) -> PluginError {
        .invalid(pointer, "content.too_long", "The text has more than \(most) tokens; send it in parts.")
    }

    static func noMessage() -> PluginError {
        .invalid("/messages", "content.no_message", "There is no message of a user with text in it; send one.")
    }

    static func emptyText(_ pointer: String) -> PluginError {
        .invalid(pointer, "content.empty_text", "The text has no letter, digit or character; send one that has.")
    }

    static func countOfTexts(_ count: Int) -> PluginError {
        .invalid("/texts", "content.count", "There are \(count) texts; 1 to 256 are taken in a call.")
    }

    static func limit(_ tokens: Int) -> PluginError {
        .invalid("/max_tokens", "content.limit", "The outline takes \(tokens) tokens; allow as many or send 0.")
    }
}
