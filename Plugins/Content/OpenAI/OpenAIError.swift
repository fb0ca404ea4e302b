// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// Why the plugin refuses a call, and what the server's refusals mean. Chat and embedding change nothing anywhere, so no
/// error has an effect.
enum OpenAIError {
    static func invalid(_ pointer: String, _ reason: String, _ message: String) -> PluginError {
        .invalid(pointer, reason, message)
    }

    static var noMessage: PluginError {
        .invalid("/messages", "content.no_message", "There is no message with a role and a text; send one.")
    }

    static func task(_ task: String) -> PluginError {
        .invalid(
            "/task", "content.task_unsupported",
            "The task \"\(task.prefix(40))\" is not known here; outline is, and free text.")
    }

    static var badSchema: PluginError {
        .invalid("/response_schema", "content.bad_schema", "The response schema is not a JSON object.")
    }

    static func countOfTexts(_ count: Int) -> PluginError {
        .invalid("/texts", "content.count", "There are \(count) texts; 1 to 256 are taken in a call.")
    }

    static func emptyText(_ index: Int) -> PluginError {
        .invalid("/texts/\(index)", "content.empty_text", "The text is empty; send one that is not.")
    }

    static var limit: PluginError {
        .invalid(
            "/max_tokens", "content.limit",
            "The answer reached max_tokens before its JSON was whole; allow more or send 0.")
    }

    static var badJSON: PluginError {
        PluginError(
            .dataLoss, "content.bad_json", "The model did not answer with the JSON asked for, twice.", retry: .safe)
    }

    static func badAnswer(_ what: String) -> PluginError {
        PluginError(.dataLoss, "content.bad_answer", "The server's answer cannot be read: \(what).", retry: .safe)
    }

    static var broken: PluginError {
        PluginError(
            .unavailable, "content.stream_broken", "The server's answer broke off before its end.", retry: .safe)
    }

    static func misconfigured(_ text: String) -> PluginError {
        PluginError(
            .failedPrecondition, "content.misconfigured",
            "The server or the host refuses this instance: \(text) Look at base_url, model, api_key and the grants.")
    }

    /// An error of the host's egress.
    static func transport(_ error: PluginError) -> PluginError {
        switch error.code {
        case .cancelled: error
        case .permissionDenied, .invalidArgument, .failedPrecondition, .notFound: misconfigured(error.message)
        case .deadlineExceeded: PluginError(.deadlineExceeded, "content.timeout", error.message, retry: .safe)
        case .resourceExhausted: badAnswer("it is too large")
        default: PluginError(.unavailable, "content.unavailable", error.message, retry: .safe)
        }
    }
}
