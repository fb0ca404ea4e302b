// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

extension CallError {
    /// As it came. An effect that is none of the known ones is UNKNOWN; a retry, never.
    init(_ message: RemoteError) {
        let retry: Retry =
            switch message.retry {
            case 1: .safe
            case 2: .after(milliseconds: message.retryAfterMs)
            default: .never
            }
        let code = StatusCode(lenient: message.code)
        self.init(
            code == .ok ? .unknown : code, message.reason, message.message,
            effect: Effect(rawValue: message.effect) ?? .unknown, retry: retry, detail: message.detail)
    }

    /// As it goes.
    var wire: RemoteError {
        RemoteError.with {
            $0.code = code.rawValue
            $0.effect = effect.rawValue
            switch retry {
            case .never: $0.retry = 0
            case .safe: $0.retry = 1
            case .after(let milliseconds):
                $0.retry = 2
                $0.retryAfterMs = milliseconds
            }
            $0.reason = reason
            $0.message = message
            $0.detail = detail
        }
    }

    /// As the end of a gRPC call: its status and its trailers, which HTTP/2 bounds for a whole connection: one that is too
    /// long would end every call on it. The status says the message once more, percent-encoded, so there it is shorter.
    var status: (Status, Metadata) {
        var bounded = self
        bounded.reason = reason.cut(to: 256)
        bounded.message = message.cut(to: Self.messageLimit)
        bounded.detail = detail.cut(to: 1024)
        let short = bounded.message.cut(to: 512)
        let status = Status(code: Status.Code(rawValue: Int(code.rawValue)) ?? .unknown, message: short)
        var trailers = Metadata()
        trailers.addBinary(StatusDetails.bytes(of: bounded, message: short), forKey: StatusDetails.key)
        return (status, trailers)
    }

    /// Bytes of an error's message that go over the wire; what is longer is cut.
    package static let messageLimit = 4096
}

extension String {
    /// As much of it as has that many bytes in UTF-8, with a sign where something is missing.
    package func cut(to limit: Int) -> String {
        guard utf8.count > limit else { return self }
        let sign = "…"
        var size = sign.utf8.count
        let kept = unicodeScalars.prefix { scalar in
            size += UTF8.width(scalar)
            return size <= limit
        }
        return String(kept) + sign
    }
}
