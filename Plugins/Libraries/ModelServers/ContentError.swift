// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatrePlugin

/// Why a model server, or its plugin, does not do what a call asks for. Calls of content change nothing anywhere, so no
/// error has an effect.
public enum ContentError {
    // MARK: the server

    /// The key, the model or the grants are not right.
    public static func misconfigured(_ text: String) -> PluginError {
        PluginError(
            .failedPrecondition, "content.misconfigured",
            "The server or the host refuses this instance: \(text) Look at base_url, model, api_key and the grants.")
    }

    /// The server does not have the model; another profile may.
    public static func modelUnknown(_ text: String) -> PluginError {
        PluginError(
            .failedPrecondition, "content.model_unknown",
            "The server does not have the model: \(text) Name one that ListModels names.")
    }

    /// An answer 404: where its words are of a model, that is not there; else the address is wrong.
    public static func notFound(_ text: String) -> PluginError {
        text.lowercased().contains("model") ? modelUnknown(text) : misconfigured(text)
    }

    /// Nothing is left of what was paid for.
    public static var quota: PluginError {
        PluginError(
            .failedPrecondition, "content.quota", "The account has no quota left; its owner has to add some.")
    }

    /// Too much at once.
    public static func throttled(_ hint: RetryHint) -> PluginError {
        PluginError(
            .resourceExhausted, "content.throttled", "The server takes no more requests now; try again later.",
            retry: hint.mayRetry ? .after(milliseconds: hint.after ?? 1000) : .never)
    }

    /// It fails, or is busy.
    public static func unavailable(_ text: String, _ hint: RetryHint = RetryHint()) -> PluginError {
        PluginError(.unavailable, "content.unavailable", text, retry: hint.retry)
    }

    /// It does not answer in time.
    public static func timeout(_ text: String, _ hint: RetryHint = RetryHint()) -> PluginError {
        PluginError(.deadlineExceeded, "content.timeout", text, retry: hint.retry)
    }

    /// A stream ended before its answer.
    public static func broken(_ text: String = "The server's answer broke off before its end.") -> PluginError {
        PluginError(.unavailable, "content.stream_broken", text, retry: .safe)
    }

    /// The answer is none.
    public static func badAnswer(_ what: String) -> PluginError {
        PluginError(.dataLoss, "content.bad_answer", "The server's answer cannot be read: \(what).", retry: .safe)
    }

    /// Against its policy.
    public static func refused(_ text: String) -> PluginError {
        PluginError(.invalidArgument, "content.refused", "The server refuses the request: \(text)")
    }

    /// For another reason.
    public static func rejected(_ text: String) -> PluginError {
        PluginError(.invalidArgument, "content.rejected", "The server refuses the request: \(text)")
    }

    /// More than the model takes.
    public static var tooLong: PluginError {
        .invalid("/messages", "content.too_long", "The input is longer than the model takes; send it in parts.")
    }

    /// It does not say which models it has.
    public static var noList: PluginError {
        PluginError(.unimplemented, "content.no_list", "The server does not list its models.")
    }

    // MARK: the model

    /// No JSON, and asking again did not help.
    public static var badJSON: PluginError {
        PluginError(
            .dataLoss, "content.bad_json", "The model did not answer with the JSON asked for, twice.", retry: .safe)
    }

    /// Half a document.
    public static var limit: PluginError {
        .invalid(
            "/max_tokens", "content.limit",
            "The answer reached max_tokens before its JSON was whole; allow more or send 0.")
    }

    // MARK: the request

    /// Nobody asks anything.
    public static var noMessage: PluginError {
        .invalid("/messages", "content.no_message", "There is no message with a role and a text; send one.")
    }

    /// A turn that cannot stand where it does.
    public static func badTurn(_ index: Int, _ why: String) -> PluginError {
        .invalid("/messages/\(index)", "content.bad_turn", "The message cannot stand here: \(why).")
    }

    /// A task of another provider.
    public static func task(_ task: String) -> PluginError {
        .invalid(
            "/task", "content.task_unsupported",
            "The task \"\(task.prefix(40))\" is not known here; outline is, and free text.")
    }

    /// No schema.
    public static var badSchema: PluginError {
        .invalid("/response_schema", "content.bad_schema", "The response schema is not a JSON object.")
    }

    /// A tool that no server takes.
    public static func badTool(_ pointer: String, _ why: String) -> PluginError {
        .invalid(pointer, "content.bad_tool", "The tool cannot be given: \(why).")
    }

    /// An image that no server takes.
    public static func badImage(_ pointer: String, _ why: String) -> PluginError {
        .invalid(pointer, "content.bad_image", "The image cannot be shown: \(why).")
    }

    /// Too many, or nothing.
    public static var badStop: PluginError {
        .invalid("/stop", "content.bad_stop", "At most 4 texts end an answer, each of which is more than white space.")
    }

    /// How many texts a call takes.
    public static func countOfTexts(_ count: Int) -> PluginError {
        .invalid("/texts", "content.count", "There are \(count) texts; 1 to 256 are taken in a call.")
    }

    /// Nothing to embed.
    public static func emptyText(_ index: Int) -> PluginError {
        .invalid("/texts/\(index)", "content.empty_text", "The text is empty; send one that is not.")
    }

    /// Something that the server, or the plugin, does not do.
    public static func unsupported(_ pointer: String, _ why: String) -> PluginError {
        .invalid(pointer, "content.unsupported", "This cannot be done here: \(why).")
    }

    /// A recording that no server takes.
    public static func badSound(_ why: String) -> PluginError {
        .invalid("/data", "content.bad_sound", "The recording cannot be sent: \(why).")
    }

    /// More or fewer than a call takes.
    public static func count(_ pointer: String, _ count: Int, _ taken: ClosedRange<Int>) -> PluginError {
        .invalid(
            pointer, "content.count",
            "There are \(count) of them; \(taken.lowerBound) to \(taken.upperBound) are taken in a call.")
    }

    /// Nothing to work on.
    public static func empty(_ pointer: String) -> PluginError {
        .invalid(pointer, "content.empty_text", "The text is empty; send one that is not.")
    }

    /// No job of this name.
    public static var noJob: PluginError {
        .notFound("content.no_job", "There is no such job, or it is no longer kept; start another.")
    }

    /// The job has not ended.
    public static var notReady: PluginError {
        PluginError(
            .failedPrecondition, "content.not_ready", "The video is not made yet, or never will be; ask for its state.")
    }

    /// Nothing that can be tried.
    public static func badProbe(_ pointer: String, _ why: String) -> PluginError {
        .invalid(pointer, "content.bad_probe", "This cannot be tried: \(why).")
    }

    // MARK: the way there

    /// An error of the host's egress.
    public static func transport(_ error: PluginError) -> PluginError {
        switch error.code {
        case .cancelled: error
        case .permissionDenied, .invalidArgument, .failedPrecondition, .notFound: misconfigured(error.message)
        case .deadlineExceeded: timeout(error.message)
        case .resourceExhausted: badAnswer("it is too large")
        default: unavailable(error.message)
        }
    }

    /// An error of the host's egress after the answer had begun.
    static func brokenOff(_ error: PluginError) -> PluginError {
        error.code == .cancelled || error.code == .deadlineExceeded ? transport(error) : broken()
    }
}
