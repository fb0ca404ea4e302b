// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// An answer `{"type": "error", "error": {"type", "message"}}`, by status or in the middle of a stream.
struct AnthropicError: Sendable {
    private let status: UInt32
    private let type: String
    private let sentence: String
    private let hint: RetryHint

    /// From an answer that is no success.
    init(_ answer: HostFetchResponse, _ hint: RetryHint) {
        let value: JSONValue
        do { value = try JSONValue(json: answer.body) } catch { value = .null }
        self.init(status: answer.status, value["error"] ?? .null, hint)
    }

    /// From the event `error`.
    init(event: JSONValue) { self.init(status: 0, event["error"] ?? .null, RetryHint()) }

    private init(status: UInt32, _ error: JSONValue, _ hint: RetryHint) {
        (self.status, self.hint) = (status, hint)
        type = error["type"]?.string ?? ""
        let message = String((error["message"]?.string ?? "no reason given").prefix(300))
        sentence = message.hasSuffix(".") ? message : message + "."
    }

    /// What the caller learns.
    var error: PluginError { status == 0 ? byType : byStatus }

    private var byStatus: PluginError {
        switch status {
        case 400: invalid
        case 402: ContentError.quota
        case 404: ContentError.notFound(sentence)
        case 401, 403, 300...399: ContentError.misconfigured(sentence)
        case 413: ContentError.tooLong
        case 429: ContentError.throttled(hint)
        case 504: ContentError.timeout("The server did not finish its answer in time.", hint)
        case 408, 409, 500...: ContentError.unavailable("The server cannot answer now (status \(status)).", hint)
        default: ContentError.rejected(sentence)
        }
    }

    private var byType: PluginError {
        switch type {
        case "rate_limit_error": ContentError.throttled(hint)
        case "billing_error": ContentError.quota
        case "not_found_error": ContentError.notFound(sentence)
        case "authentication_error", "permission_error": ContentError.misconfigured(sentence)
        case "timeout_error": ContentError.timeout("The server did not finish its answer in time.")
        case "invalid_request_error": invalid
        default: ContentError.broken("The server broke its answer off: \(sentence)")
        }
    }

    /// The API has one type for whatever is wrong with a request, and says the rest in words.
    private var invalid: PluginError {
        let words = sentence.lowercased()
        if words.contains("prompt is too long") || words.contains("exceed context limit") {
            return ContentError.tooLong
        }
        if words.contains("credit balance is too low") { return ContentError.quota }
        return ContentError.rejected(sentence)
    }
}
