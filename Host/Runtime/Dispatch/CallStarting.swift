// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Starts calls of plugins from the host's side: what the gateway and the services use of the dispatcher.
public protocol CallStarting: AnyObject, Sendable {
    /// The target of an instance's operation as it serves now, or why there is none.
    ///
    /// - Parameters:
    ///   - instance: name in `plugins.d`.
    ///   - operation: `capability/Operation`.
    /// - Throws: NOT_FOUND `instance.unknown`, UNIMPLEMENTED `instance.no_operation`, UNAVAILABLE `instance.closed` with
    ///   the reason why it does not serve.
    func target(instance: String, operation: String) throws(CallError) -> CallTarget

    /// Sends a call. Its completion comes through `sink`, exactly once, also where it is refused at once.
    ///
    /// Copies nothing that the plugin does not copy: the bytes in `call` must live until this returns.
    @discardableResult
    func start(_ call: borrowing OutgoingCall, on target: CallTarget, sink: any CallSink) -> CallID

    /// Sends the next message of the call's incoming stream; false where there is no credit or the call has ended.
    func send(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) -> Bool

    /// Lets the callee send this many bytes more.
    func credit(_ call: CallID, bytes: UInt64)

    /// Gives a call up. Its completion still comes, once.
    func cancel(_ call: CallID)
}

/// A call to send.
public struct OutgoingCall: ~Copyable {
    /// One request message; borrowed.
    public var payload: UnsafeRawBufferPointer
    /// What it and all calls on its behalf carry.
    public var context: CallContext
    /// Absolute, on the host's monotonic clock, in nanoseconds; 0 for the operation's default.
    public var deadline: UInt64 = 0
    /// Where there is no deadline: nanoseconds from now; 0 for the operation's default.
    public var timeout: UInt64 = 0
    /// Stable over attempts; empty for none.
    public var idempotencyKey = ""
    /// From 1.
    public var attempt: UInt32 = 1

    /// A call with the operation's default deadline.
    public init(payload: UnsafeRawBufferPointer, context: CallContext) {
        self.payload = payload
        self.context = context
    }
}
