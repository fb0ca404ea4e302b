// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin

/// The host's functions, all present.
///
/// Unchecked: the pointers are constant, and the interface lets every function be called on any thread.
struct HostTable: @unchecked Sendable {
    let ctx: UnsafeMutableRawPointer?
    let complete: @convention(c) (UnsafeMutableRawPointer?, theatre_id, UnsafePointer<theatre_result>?) -> theatre_code
    let request:
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<theatre_request>?, UnsafeMutablePointer<theatre_id>?,
            UnsafeMutablePointer<theatre_error>?
        ) -> theatre_code
    let send: @convention(c) (UnsafeMutableRawPointer?, theatre_id, UnsafePointer<theatre_chunk>?) -> theatre_code
    let credit: @convention(c) (UnsafeMutableRawPointer?, theatre_id, UInt64) -> Void
    let cancel: @convention(c) (UnsafeMutableRawPointer?, theatre_id, UInt32) -> Void
    let isLive: @convention(c) (UnsafeMutableRawPointer?, theatre_id) -> Int32
    let now: @convention(c) (UnsafeMutableRawPointer?, UInt32) -> UInt64
    let log: @convention(c) (UnsafeMutableRawPointer?, UInt32, theatre_bytes, theatre_bytes) -> Void

    /// Nil where a function is missing.
    init?(_ pointer: UnsafePointer<theatre_host>) {
        let host = theatre_host(reading: pointer)
        guard let complete = host.complete, let request = host.request, let send = host.send, let credit = host.credit,
            let cancel = host.cancel, let isLive = host.is_live, let now = host.now, let log = host.log
        else { return nil }
        ctx = host.ctx
        self.complete = complete
        self.request = request
        self.send = send
        self.credit = credit
        self.cancel = cancel
        self.isLive = isLive
        self.now = now
        self.log = log
    }
}
