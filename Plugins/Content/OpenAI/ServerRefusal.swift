// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
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
    var hint: RetryHint

    /// From an answer that is no success.
    init(_ answer: HostFetchResponse, _ hint: RetryHint) {
        let value: JSONValue
        do { value = try JSONValue(json: answer.body) } catch { value = .null }
        // Most servers say `error`; some say the same without it, or only `detail`.
        let error = value["error"] ?? (value["message"] == nil ? value["detail"] : value)
        self.init(status: answer.status, error ?? .null, hint)
    }

    /// From the value of `error`, which some servers write as a text.
    init(status: UInt32, _ error: JSONValue, _ hint: RetryHint = RetryHint()) {
        self.status = status
        self.hint = hint
        code = error["code"]?.string ?? error["code"]?.integer.map { "\($0)" } ?? ""
        type = error["type"]?.string ?? ""
        message = String((error["message"]?.string ?? error.string ?? "no reason given").prefix(300))
    }

    /// What the caller learns.
    var error: PluginError {
        switch status {
        case _ where code == "insufficient_quota" || type == "insufficient_quota": return ContentError.quota
        case _ where code == "context_length_exceeded": return ContentError.tooLong
        case 413: return ContentError.tooLong
        case _ where code == "model_not_found": return ContentError.modelUnknown(sentence)
        case 404: return ContentError.notFound(sentence)
        case 401, 403, 300...399: return ContentError.misconfigured(sentence)
        case 429: return ContentError.throttled(hint)
        case 0 where code == "rate_limit_exceeded" || type == "rate_limit_exceeded":
            return ContentError.throttled(hint)
        case 0: return ContentError.broken("The server broke its answer off: \(sentence)")
        case 408, 409, 500...:
            return ContentError.unavailable("The server cannot answer now (status \(status)).", hint)
        default:
            let isPolicy = code == "content_policy_violation" || code == "content_filter"
            return isPolicy ? ContentError.refused(sentence) : ContentError.rejected(sentence)
        }
    }

    private var sentence: String { message.hasSuffix(".") ? message : message + "." }
}
