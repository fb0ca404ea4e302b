// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
public import CTheatrePlugin

/// How a call ended, before it is told to the caller.
enum Outcome {
    /// An answer; borrowed.
    case payload(UnsafeRawBufferPointer)
    /// A failure.
    case failure(CallError)

    var code: Int32 {
        switch self {
        case .payload: THEATRE_OK
        case .failure(let error): error.code.rawValue
        }
    }

    /// The answer that a plugin completed with; nil where it failed or is malformed.
    @inline(__always)
    static func payload(of result: UnsafePointer<theatre_result>?, limit: Int) -> UnsafeRawBufferPointer? {
        guard let result, result.pointee.struct_size >= THEATRE_RESULT_SIZE_0,
            result.pointee.code == THEATRE_OK, result.pointee.payload.isSound,
            result.pointee.payload.size <= UInt64(limit)
        else { return nil }
        return result.pointee.payload.buffer
    }

    /// The failure that a plugin completed with; nil where it is malformed. A code that is none of ``StatusCode`` reads
    /// as UNKNOWN, and the message tells its number.
    static func readFailure(_ result: UnsafePointer<theatre_result>?) -> Outcome? {
        guard let result, result.pointee.struct_size >= THEATRE_RESULT_SIZE_0,
            result.pointee.code != THEATRE_OK, let error = result.pointee.error,
            error.pointee.struct_size >= THEATRE_ERROR_SIZE_0,
            error.pointee.code == result.pointee.code,
            error.pointee.reason.isSound, error.pointee.message.isSound, error.pointee.detail.isSound
        else { return nil }
        let code = result.pointee.code
        guard let known = StatusCode(rawValue: code) else {
            var failure = CallError(.unknown, theatre_error(copying: error))
            failure.message += "\(failure.message.isEmpty ? "" : " ")(The plugin answered with code \(code).)"
            return .failure(failure)
        }
        return .failure(CallError(known, theatre_error(copying: error)))
    }

    /// What is wrong with a result that can be read neither as an answer nor as a failure.
    static func flaw(of result: UnsafePointer<theatre_result>?, limit: Int) -> String {
        guard let result else { return "no result at all" }
        guard result.pointee.struct_size >= THEATRE_RESULT_SIZE_0 else {
            return "a result of struct_size \(result.pointee.struct_size); it has \(THEATRE_RESULT_SIZE_0)"
        }
        let code = result.pointee.code, payload = result.pointee.payload
        if code == THEATRE_OK {
            guard payload.isSound else { return "a payload of \(payload.size) bytes at no address" }
            return "a payload of \(payload.size) bytes; at most \(limit) are allowed, more is sent as a stream"
        }
        guard let error = result.pointee.error else { return "code \(code) without an error" }
        guard error.pointee.struct_size >= THEATRE_ERROR_SIZE_0 else {
            return "an error of struct_size \(error.pointee.struct_size); it has \(THEATRE_ERROR_SIZE_0)"
        }
        guard error.pointee.code == code else { return "code \(code) with an error of code \(error.pointee.code)" }
        return "an error whose reason, message or detail has a size and no address"
    }

    static func malformed(sideEffect: Bool) -> Outcome {
        .failure(
            CallError(
                .internal, "plugin.malformed_result",
                "The plugin's answer could not be read; it breaks the plugin interface.",
                effect: sideEffect ? .unknown : .none))
    }
}

extension CallError {
    /// Copies what a plugin filled in. An effect the host does not know is UNKNOWN; a retry it does not know, never.
    public init(_ code: StatusCode, _ error: theatre_error) {
        let retry: Retry =
            switch error.retry {
            case THEATRE_RETRY_SAFE: .safe
            case THEATRE_RETRY_AFTER: .after(milliseconds: error.retry_after_ms)
            default: .never
            }
        self.init(
            code, error.reason.text, error.message.text, effect: Effect(rawValue: error.effect) ?? .unknown,
            retry: retry, detail: error.detail.text)
    }

    /// Calls `body` with the error as a C struct that borrows this value's texts.
    public func withCError<Result>(_ body: (inout theatre_error) -> Result) -> Result {
        var reason = reason
        var message = message
        var detail = detail
        return reason.withUTF8 { reason in
            message.withUTF8 { message in
                detail.withUTF8 { detail in
                    var error = theatre_error()
                    error.struct_size = UInt32(MemoryLayout<theatre_error>.size)
                    error.code = code.rawValue
                    error.effect = effect.rawValue
                    switch retry {
                    case .never: error.retry = THEATRE_RETRY_NEVER
                    case .safe: error.retry = THEATRE_RETRY_SAFE
                    case .after(let milliseconds):
                        error.retry = THEATRE_RETRY_AFTER
                        error.retry_after_ms = milliseconds
                    }
                    error.reason = theatre_bytes(UnsafeRawBufferPointer(reason))
                    error.message = theatre_bytes(UnsafeRawBufferPointer(message))
                    error.detail = theatre_bytes(UnsafeRawBufferPointer(detail))
                    return body(&error)
                }
            }
        }
    }
}
