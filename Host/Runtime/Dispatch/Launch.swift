// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin

/// A call about to be sent; everything borrowed lives until it was.
struct Launch: ~Copyable {
    var payload: UnsafeRawBufferPointer
    var context: CallContext
    /// Absolute; 0 for the default.
    var deadline: UInt64
    var key = UnsafeRawBufferPointer(start: nil, count: 0)
    var attempt: UInt32 = 1
    /// Who is named as caller where it is not the host.
    var callerField: [UInt8]?
    /// Where the answer goes: to a plugin, or to a sink.
    var caller: InstancePort?
    var callIndex: UInt32 = 0
    var sink: (any CallSink)?
    /// On whose behalf; pinned for as long as the new call lives.
    var parent: SlotPointer?
    var parentID: UInt64 = 0
    var trace: SpanIdentity?
    var depth: UInt32 = 1
    /// Counted at `parent` as an open transaction.
    var holdsTransaction = false
    var note: String?
    /// Where the id is written before the callee hears of the call.
    var out: UnsafeMutablePointer<UInt64>?

    init(payload: UnsafeRawBufferPointer, context: CallContext, deadline: UInt64) {
        self.payload = payload
        self.context = context
        self.deadline = deadline
    }
}

/// What `theatre_request` says besides ids, owned, for an invocation that has to wait for its thread.
struct StoredRequest {
    var payload: [UInt8]
    var key: [UInt8]
}
