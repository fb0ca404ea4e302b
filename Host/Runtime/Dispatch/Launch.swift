// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin

/// A call about to be sent; everything borrowed lives until it was.
struct Launch: ~Copyable {
    var payload: UnsafeRawBufferPointer
    /// Lives until the call was sent.
    var context: Unmanaged<CallContext>
    /// Absolute; 0 for the default.
    var deadline: UInt64
    /// Nanoseconds, where there is no deadline; 0 for the operation's default.
    var timeout: UInt64 = 0
    var key = UnsafeRawBufferPointer(start: nil, count: 0)
    var attempt: UInt32 = 1
    /// Who is named as caller where it is not the host.
    var callerField: UnsafeRawBufferPointer?
    /// Where the answer goes: to a plugin, or to a sink.
    var caller: CorePointer?
    var callIndex: UInt32 = 0
    unowned(unsafe) var sink: (any CallSink)?
    /// On whose behalf; pinned for as long as the new call lives, or, where not `isParentPinned`, by this thread, which is
    /// just sending that call.
    var parent: SlotPointer?
    var parentID: UInt64 = 0
    /// The new call has a pin of the parent's, and counts as its child.
    var isParentPinned = false
    var trace: SpanIdentity?
    /// What served when the outermost call began; nil where this is that call.
    var table: Unmanaged<DispatchTable>?
    var depth: UInt32 = 1
    /// Counted at `parent` as an open transaction.
    var holdsTransaction = false
    var note: SpanNote?
    /// Where the id is written before the callee hears of the call.
    var out: UnsafeMutablePointer<UInt64>?

    init(payload: UnsafeRawBufferPointer, context: Unmanaged<CallContext>, deadline: UInt64) {
        self.payload = payload
        self.context = context
        self.deadline = deadline
    }
}

extension Launch {
    /// The same call once more; it borrows the same things.
    func copy() -> Launch {
        var other = Launch(payload: payload, context: context, deadline: deadline)
        other.timeout = timeout
        other.key = key
        other.attempt = attempt
        other.callerField = callerField
        other.caller = caller
        other.callIndex = callIndex
        other.sink = sink
        other.parent = parent
        other.parentID = parentID
        other.isParentPinned = isParentPinned
        other.trace = trace
        other.table = table
        other.depth = depth
        other.holdsTransaction = holdsTransaction
        other.note = note
        other.out = out
        return other
    }
}

/// What `theatre_request` says besides ids, owned, for an invocation that has to wait for its thread.
struct StoredRequest {
    var payload: [UInt8]
    var key: [UInt8]
}
