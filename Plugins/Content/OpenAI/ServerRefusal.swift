// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// An answer `{"error": {"message", "type", "code"}}`, by status or in the middle of a stream.
struct ServerRefusal: Sendable {
    /// 0 in the middle of a stream.
    var status: UInt32
    var code: String
    var type: String
    var message: String
    /// Milliseconds, where the server said when to come back.
    var retryAfter: UInt64?
    /// False where the server said so.
    var mayRetry = true

    /// From an answer that is no success.
    init(_ answer: HostFetchResponse) {
        let value: JSONValue
        do { value = try JSONValue(json: answer.body) } catch { value = .null }
        self.init(status: answer.status, value["error"] ?? .null)
        for header in answer.headers {
            switch header.name.lowercased() {
            case "retry-after-ms": retryAfter = UInt64(header.value)
            case "retry-after" where retryAfter == nil: retryAfter = UInt64(header.value).map { min($0, 86_400) * 1000 }
            case "x-should-retry": mayRetry = header.value != "false"
            default: break
            }
        }
    }

    /// From the value of `error`, which some servers write as a text.
    init(status: UInt32, _ error: JSONValue) {
        self.status = status
        code = error["code"]?.string ?? error["code"]?.integer.map { "\($0)" } ?? ""
        type = error["type"]?.string ?? ""
        message = String((error["message"]?.string ?? error.string ?? "no reason given").prefix(300))
    }

    /// What the caller learns.
    var error: PluginError {
        switch status {
        case _ where code == "insufficient_quota" || type == "insufficient_quota":
            return PluginError(
                .failedPrecondition, "content.quota", "The account has no quota left; its owner has to add some.")
        case _ where code == "context_length_exceeded": return tooLong
        case 413: return tooLong
        case 401, 403, 404, 300...399: return OpenAIError.misconfigured(sentence)
        case 429: return throttled
        case 0 where code == "rate_limit_exceeded" || type == "rate_limit_exceeded": return throttled
        case 0:
            return PluginError(
                .unavailable, "content.stream_broken", "The server broke its answer off: \(sentence)", retry: .safe)
        case 408, 409, 500...:
            return PluginError(
                .unavailable, "content.unavailable", "The server cannot answer now (status \(status)).", retry: retry)
        default:
            let isPolicy = code == "content_policy_violation" || code == "content_filter"
            return PluginError(
                .invalidArgument, isPolicy ? "content.refused" : "content.rejected",
                "The server refuses the request: \(sentence)")
        }
    }

    private var tooLong: PluginError {
        .invalid("/messages", "content.too_long", "The input is longer than the model takes; send it in parts.")
    }

    private var throttled: PluginError {
        PluginError(
            .resourceExhausted, "content.throttled", "The server takes no more requests now; try again later.",
            retry: mayRetry ? .after(milliseconds: retryAfter ?? 1000) : .never)
    }

    private var retry: PluginError.Retry {
        mayRetry ? retryAfter.map { .after(milliseconds: $0) } ?? .safe : .never
    }

    private var sentence: String { message.hasSuffix(".") ? message : message + "." }
}
