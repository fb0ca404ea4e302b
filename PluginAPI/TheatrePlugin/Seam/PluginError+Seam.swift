// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import CTheatrePlugin

extension PluginError {
    /// Reads what the other side says; unknown codes are UNKNOWN, a missing error is only its code.
    package init(code: theatre_code, _ pointer: UnsafePointer<theatre_error>?) {
        let canonical = Code(rawValue: code) ?? .unknown
        guard let pointer else {
            self.init(canonical, "plugin.unexplained", "The call failed without a reason.")
            return
        }
        let error = theatre_error(reading: pointer)
        let retry: Retry =
            switch error.retry {
            case THEATRE_RETRY_SAFE: .safe
            case THEATRE_RETRY_AFTER: .after(milliseconds: error.retry_after_ms)
            default: .never
            }
        let reason = error.reason.text
        self.init(
            canonical, reason.isEmpty ? "plugin.unexplained" : reason, error.message.text,
            effect: Effect(rawValue: error.effect) ?? .unknown, retry: retry, detail: error.detail.text)
    }

    /// Any error as one that crosses the seam. Of foreign errors only the type is named: their text may hold secrets.
    package init(any error: any Error, sideEffect: Bool = false) {
        switch error {
        case let error as PluginError: self = error
        case is CancellationError:
            self.init(
                .cancelled, "plugin.cancelled", "The call was cancelled before it was done.",
                effect: sideEffect ? .unknown : .none)
        default:
            self.init(
                .internal, "plugin.unexpected", "An unexpected error of type \(type(of: error)) ended the call.",
                effect: sideEffect ? .unknown : .none)
        }
    }

    /// Lends the error as the interface has it; the bytes live until `body` returns.
    package func withSeam<R>(_ body: (UnsafePointer<theatre_error>) -> R) -> R {
        let kept = ErrorBytes(self)
        var error = theatre_error.sized
        kept.fill(&error)
        return withExtendedLifetime(kept) { withUnsafePointer(to: error, body) }
    }
}

/// An error whose bytes stay where they are for as long as this object lives.
///
/// Unchecked: the buffer is written in `init` only.
package final class ErrorBytes: @unchecked Sendable {
    private let error: PluginError
    private let buffer: UnsafeMutableRawBufferPointer

    package init(_ error: PluginError) {
        self.error = error
        let texts = [error.reason, error.message, error.detail]
        buffer = .allocate(byteCount: texts.reduce(0) { $0 + $1.utf8.count }, alignment: 1)
        var offset = 0
        for text in texts {
            UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]).copyBytes(from: text.utf8)
            offset += text.utf8.count
        }
    }

    deinit { buffer.deallocate() }

    /// Points `target` at the bytes, writing no more than its stated size holds.
    package func fill(_ target: UnsafeMutablePointer<theatre_error>) {
        let reason = error.reason.utf8.count
        let message = error.message.utf8.count
        var value = theatre_error.sized
        value.code = error.code.rawValue
        value.effect = error.effect.rawValue
        switch error.retry {
        case .never: value.retry = THEATRE_RETRY_NEVER
        case .safe: value.retry = THEATRE_RETRY_SAFE
        case .after(let milliseconds):
            value.retry = THEATRE_RETRY_AFTER
            value.retry_after_ms = milliseconds
        }
        let whole = UnsafeRawBufferPointer(buffer)
        value.reason = theatre_bytes(UnsafeRawBufferPointer(rebasing: whole[..<reason]))
        value.message = theatre_bytes(UnsafeRawBufferPointer(rebasing: whole[reason..<(reason + message)]))
        value.detail = theatre_bytes(UnsafeRawBufferPointer(rebasing: whole[(reason + message)...]))
        let stated = target.pointee.struct_size
        let room = stated == 0 ? MemoryLayout<theatre_error>.size : min(Int(stated), MemoryLayout<theatre_error>.size)
        withUnsafeBytes(of: &value) {
            UnsafeMutableRawPointer(target).copyMemory(
                from: $0.baseAddress ?? UnsafeRawPointer(target), byteCount: room)
        }
        if stated != 0 { target.pointee.struct_size = stated }
    }
}
