// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import Runtime

/// An error as the client sees it.
struct ErrorResponse {
    var status: HTTPResponseStatus
    var message: String
    var isRetryable = false
    var module = "gateway"
    var reason: String
    var effect = "none"
    var pointer = ""
    /// Names the decision that refused it, or empty.
    var decision = ""
    /// Seconds for Retry-After.
    var retryAfter: UInt64?
    /// Extra headers: Allow, WWW-Authenticate.
    var headers: [(String, String)] = []

    /// The gateway's own refusal.
    init(_ status: HTTPResponseStatus, _ reason: String, _ message: String) {
        self.status = status
        self.reason = reason
        self.message = message
    }

    /// No route is served yet.
    static var starting: ErrorResponse {
        var error = ErrorResponse(
            .serviceUnavailable, "request.starting", "The server is starting; try again shortly.")
        error.isRetryable = true
        error.retryAfter = 1
        return error
    }

    /// A failed call: the one mapping from canonical codes to HTTP.
    init(_ error: CallError, module: String) {
        status = Self.status(of: error)
        self.module = module
        reason = error.reason
        message = error.message
        pointer = error.detail
        effect =
            switch error.effect {
            case .none: "none"
            case .unknown: "unknown"
            case .applied: "applied"
            }
        switch error.retry {
        case .never: break
        case .safe: isRetryable = true
        case .after(let milliseconds):
            isRetryable = true
            retryAfter = max(1, (milliseconds + 999) / 1000)
        }
        if status.code == 500 { message = "The request failed; its cause is in the log under the correlation id." }
    }

    static func status(of error: CallError) -> HTTPResponseStatus {
        switch error.code {
        case .invalidArgument, .outOfRange: .badRequest
        case .unauthenticated: .unauthorized
        case .permissionDenied: .forbidden
        case .notFound: .notFound
        case .alreadyExists, .aborted: .conflict
        case .failedPrecondition:
            if error.reason.contains(".insufficient_") {
                .paymentRequired
            } else if error.reason.hasSuffix(".payment_live") {
                .locked
            } else {
                .unprocessableEntity
            }
        case .resourceExhausted: .tooManyRequests
        case .deadlineExceeded: .gatewayTimeout
        case .unavailable: .serviceUnavailable
        case .unimplemented: .notImplemented
        case .ok, .cancelled, .unknown, .internal, .dataLoss: .internalServerError
        }
    }

    /// What people quote: `LEDGER-FUNDS-001` for `ledger.insufficient_funds` and 402. Follows from the reason and the
    /// status, so an error has one name only.
    var code: String {
        let word = reason.prefix { $0 != "." }
        let isWord =
            !word.isEmpty && word.utf8.count < reason.utf8.count
            && word.utf8.allSatisfy { byte in
                (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")) || byte == UInt8(ascii: "_")
                    || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
            }
        let domain = isWord ? word.uppercased().replacing("_", with: "") : "SYS"
        return "\(domain)-\(Self.category(status))"
    }

    private static func category(_ status: HTTPResponseStatus) -> String {
        switch status.code {
        case 400: "INPUT-001"
        case 401: "TOKEN-001"
        case 402: "FUNDS-001"
        case 403: "ACCESS-001"
        case 404: "MISSING-001"
        case 405: "METHOD-001"
        case 408: "TIMEOUT-001"
        case 409: "CONFLICT-001"
        case 413, 414, 431: "SIZE-001"
        case 415: "INPUT-002"
        case 422: "STATE-001"
        case 423: "STATE-002"
        case 429: "LIMIT-001"
        case 501: "INTERNAL-002"
        case 503: "UNAVAILABLE-001"
        case 504: "UNAVAILABLE-002"
        default: "INTERNAL-001"
        }
    }

    /// The body, JSON.
    func write(into buffer: inout ByteBuffer, trace: String, correlation: String) {
        buffer.writeStaticString("{\"error_code\":")
        buffer.writeJSON(code)
        buffer.writeStaticString(",\"message\":")
        buffer.writeJSON(message)
        buffer.writeString(",\"retryable\":\(isRetryable),\"owner_module\":")
        buffer.writeJSON(module)
        buffer.writeStaticString(",\"trace_id\":")
        buffer.writeJSON(trace)
        buffer.writeStaticString(",\"correlation_id\":")
        buffer.writeJSON(correlation)
        buffer.writeStaticString(",\"details\":{\"reason\":")
        buffer.writeJSON(reason)
        buffer.writeStaticString(",\"effect\":")
        buffer.writeJSON(effect)
        buffer.writeStaticString(",\"pointer\":")
        buffer.writeJSON(pointer)
        if !decision.isEmpty {
            buffer.writeStaticString(",\"decision\":")
            buffer.writeJSON(decision)
        }
        buffer.writeStaticString("}}")
    }
}

extension ErrorResponse {
    /// More header fields than there may be, or longer ones.
    static var headersTooLarge: ErrorResponse {
        ErrorResponse(
            .requestHeaderFieldsTooLarge, "request.headers_too_large", "The headers are too long; send less.")
    }

    /// A body longer than its route takes.
    static func tooLarge(_ limit: Int) -> ErrorResponse {
        ErrorResponse(
            .payloadTooLarge, "request.too_large", "The body may have at most \(limit) bytes.")
    }
}

extension ByteBuffer {
    /// Appends a JSON string literal.
    mutating func writeJSON(_ text: String) {
        writeInteger(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): writeStaticString("\\\"")
            case UInt8(ascii: "\\"): writeStaticString("\\\\")
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                writeString("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
            default: writeInteger(byte)
            }
        }
        writeInteger(UInt8(ascii: "\""))
    }
}
