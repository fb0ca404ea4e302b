// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime

/// Reads a result and notes where it is not what the interface asks for.
struct CompletionReader {
    let host: RecordingHost

    init(_ host: RecordingHost) { self.host = host }

    func read(_ result: theatre_result) -> RecordingHost.Completion {
        var completion = RecordingHost.Completion(code: result.code, payload: result.payload.copy)
        guard let error = result.error.map(theatre_error.init(copying:)) else {
            if result.code != THEATRE_OK { wrong("A call failed with code \(result.code) and without an error.") }
            return completion
        }
        completion.hasError = true
        completion.effect = error.effect
        completion.retry = error.retry
        completion.reason = error.reason.text
        completion.message = error.message.text
        completion.detail = error.detail.text
        check(result, error, completion)
        return completion
    }

    private func check(_ result: theatre_result, _ error: theatre_error, _ completion: RecordingHost.Completion) {
        if result.code == THEATRE_OK { wrong("A call succeeded and carries an error.") }
        if result.code < 0 || result.code > 16 { wrong("A call failed with code \(result.code), which there is not.") }
        if error.code != result.code { wrong("The result has code \(result.code), its error \(error.code).") }
        if !completion.payload.isEmpty { wrong("A call failed and carries a payload.") }
        if error.effect > THEATRE_EFFECT_APPLIED || error.retry > THEATRE_RETRY_AFTER {
            wrong("An error has effect \(error.effect) and retry \(error.retry), which there are not.")
        }
        if !error.reason.isText || !error.message.isText || !error.detail.isText { wrong("An error is not UTF-8.") }
        if !Self.isReason(completion.reason) {
            host.violation(
                "validator.reason", "The reason \"\(completion.reason)\" is not lower-case, dotted words.")
        }
        if completion.message.isEmpty { host.violation("validator.reason", "\(completion.reason) has no message.") }
    }

    private func wrong(_ message: String) { host.violation("validator.malformed_result", message) }

    /// `ledger.insufficient_funds`.
    static func isReason(_ text: String) -> Bool {
        text.wholeMatch(of: #/[a-z][a-z0-9_]*(\.[a-z0-9_]+)+/#) != nil
    }
}
