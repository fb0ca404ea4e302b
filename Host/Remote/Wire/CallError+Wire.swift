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

    /// As the end of a gRPC call: its status and its trailers.
    var status: (Status, Metadata) {
        let status = Status(code: Status.Code(rawValue: Int(code.rawValue)) ?? .unknown, message: message)
        var trailers = Metadata()
        trailers.addBinary(StatusDetails.bytes(of: self), forKey: StatusDetails.key)
        return (status, trailers)
    }
}
