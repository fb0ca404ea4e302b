// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a call.
enum OfflineError {
    static func task(_ task: String, _ pointer: String) -> PluginError {
        let what = task.isEmpty ? "A response schema without a task" : "The task \"\(task.prefix(40))\""
        return .invalid(
            pointer, "content.task_unsupported", "\(what) is beyond the offline model; it knows the task outline.")
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

    static func countOf(_ pointer: String, _ count: Int, _ taken: ClosedRange<Int>) -> PluginError {
        .invalid(
            pointer, "content.count",
            "There are \(count) of them; \(taken.lowerBound) to \(taken.upperBound) are taken in a call.")
    }

    static func unsupported(_ pointer: String, _ why: String) -> PluginError {
        .invalid(pointer, "content.unsupported", "The offline model does not do this: \(why).")
    }

    static func tooMany(_ pointer: String, _ what: String, _ most: Int) -> PluginError {
        .invalid(pointer, "content.too_long", "There are more than \(most) \(what); send it in parts.")
    }

    static func badSound(_ why: String) -> PluginError {
        .invalid("/data", "content.bad_sound", "The recording cannot be understood: \(why).")
    }

    static func badProbe(_ pointer: String, _ why: String) -> PluginError {
        .invalid(pointer, "content.bad_probe", "This cannot be tried: \(why).")
    }

    static var noJob: PluginError {
        .notFound("content.no_job", "There is no such job, or it is over for more than a day; start another.")
    }

    static var notReady: PluginError {
        PluginError(
            .failedPrecondition, "content.not_ready", "The video is not made yet, or never will be; ask for its state.")
    }

    static func limit(_ tokens: Int) -> PluginError {
        .invalid("/max_tokens", "content.limit", "The outline takes \(tokens) tokens; allow as many or send 0.")
    }
}
