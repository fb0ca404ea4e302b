// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where a call's completion, and the messages of its outgoing stream, go.
///
/// Functions come on any thread, possibly inside ``CallStarting/start(_:on:sink:)``, and must not block. Bytes are
/// borrowed until the function returns.
public protocol CallSink: AnyObject, Sendable {
    /// The call ended. Exactly once.
    func complete(_ call: CallID, _ result: borrowing CallResult)

    /// The callee sent a message. Answer with ``CallStarting/credit(_:bytes:)`` once it is consumed.
    func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool)

    /// The callee takes this many bytes more.
    func credit(_ call: CallID, bytes: UInt64)
}

extension CallSink {
    /// Drops messages: for calls that stream nothing out.
    public func receive(_ call: CallID, _ message: UnsafeRawBufferPointer, end: Bool) {}
    /// Ignores credit: for calls that stream nothing in.
    public func credit(_ call: CallID, bytes: UInt64) {}
}

/// A call: `theatre_id` as a Swift value.
public struct CallID: Sendable, Hashable, RawRepresentable {
    /// Slot and generation; 0 is no call.
    public let rawValue: UInt64
    /// Wraps a `theatre_id`.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// No call.
    public static let none = CallID(rawValue: 0)
}

/// How a call ended.
public struct CallResult: ~Copyable {
    /// One response message where `error` is nil; borrowed.
    public let payload: UnsafeRawBufferPointer
    private let failure: Failure?

    /// Kept apart, so that an answer costs nothing for what it might have been.
    private final class Failure: Sendable {
        let error: CallError

        init(_ error: CallError) { self.error = error }
    }

    /// Why it failed.
    public var error: CallError? { failure?.error }

    /// An answer.
    public init(payload: UnsafeRawBufferPointer) {
        self.payload = payload
        failure = nil
    }

    /// A failure.
    public init(_ error: CallError) {
        payload = UnsafeRawBufferPointer(start: nil, count: 0)
        failure = Failure(error)
    }
}
